from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict
from chaosqs.search.finding import Tally

SCENARIO = Scenario(Design([Queue("orders")], [Function("worker")], [EventSourceMapping("orders", "worker")]))


def tallied(*statuses: Status) -> Verdict:
    tally = Tally()
    for status in statuses:
        exercised = 3 if status is Status.HOLDS else 0
        tally.add(SCENARIO, Verdict("x", status, "" if exercised else "nothing came", exercised), ())
    return tally.verdict("x")


def test_cases_that_could_not_have_failed_are_no_pass() -> None:
    """Where no case put the promise to the test, the verdict is `not exercised`, with the reason."""
    found = tallied(Status.NOT_APPLICABLE, Status.NOT_EXERCISED, Status.NOT_EXERCISED)
    assert (found.status, found.reason, found.exercised) == (Status.NOT_EXERCISED, "nothing came", 0)


def test_one_case_that_could_have_failed_is_a_pass() -> None:
    """It counts how often the promise was put to the test."""
    found = tallied(Status.NOT_EXERCISED, Status.HOLDS, Status.HOLDS)
    assert (found.status, found.reason, found.exercised) == (Status.HOLDS, "", 6)


def test_what_could_not_be_judged_is_no_pass_either() -> None:
    """One case without a judgement outweighs all that hold."""
    assert tallied(Status.HOLDS, Status.INCONCLUSIVE).status is Status.INCONCLUSIVE

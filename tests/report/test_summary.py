"""The paragraph of a report: what happened and why, in the users' names."""

from __future__ import annotations

import attrs
import pytest

from chaosqs import invariants
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.events import Sent, ServiceCalled
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Violation
from chaosqs.model.workload import Burst
from chaosqs.report.summary import in_code, paragraph
from chaosqs.simulation.run import simulate
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import NAMES, known_bad
from tests.report.examples import SENTENCE, counterexample, throttled
from tests.search.designs import ROOMY, over_polling


def test_over_polling_is_told_from_the_load_to_the_dead_letter_queue() -> None:
    """Who read, for how many executions, how often it was received and what each time came of it, where it went."""
    scenario = Scenario(over_polling(), [Burst("orders", 5, over=30)], {"worker": Behaviour(seconds_per_batch=29.25)})
    history = simulate(scenario)
    violation = invariants.NO_DEAD_LETTERING_BY_THROTTLING.judge(history).violations[0]
    assert paragraph(*counterexample(history, violation)) == (
        f"{violation.text} 5 messages arrived in orders from 0.0 s to 24.0 s. Up to 5 pollers read from orders although"
        " worker had no room for all (reserved concurrency 2): pollers do not ask before they read. Message 5 was"
        " received 3 times. Received at 24.0 s, 54.0 s and 84.0 s: each time Lambda throttled it while messages 1–4"
        " were running (18 tries in all), until its visibility timeout of 30 s was over. That used up"
        " max_receive_count 3, so the next receive, at 114.0 s, moved it to orders-dlq; nothing reads from there."
    )


def test_deliveries_that_end_alike_are_told_together() -> None:
    """The example of the house plan: two deliveries, throttled alike."""
    text = paragraph(*throttled())
    assert text.startswith(f"{SENTENCE} 6 messages arrived in orders at 0.0 s. ")
    assert "Message 4 was received twice. Received at 0.0 s and 30.1 s: each time Lambda throttled it" in text


def test_a_fault_is_named_with_the_load_and_where_it_struck() -> None:
    """What it took from outside stands beside what arrived, and at the delivery that it hit."""
    scenario = Scenario(ROOMY, [Burst("orders", 1)], faults=FaultPlan(messages=[["lost_delete"]]))
    found, history = counterexample(
        simulate(scenario), attrs.evolve(throttled()[0].violation, messages=(0,), events=(), at=70_000)
    )
    explained = attrs.evolve(found, explanation=attrs.evolve(found.explanation, faults=(scenario.faults,)))
    text = paragraph(explained, history)
    assert "1 message arrived in orders at 0.0 s, and it took a fault: lost_delete at receive 1 of message 1." in text
    assert "worker succeeded on it at 0.3 s, but its delete did not work (fault: lost_delete at receive 1 of" in text
    assert "In all it was worked on twice." in text


@pytest.mark.parametrize("name", NAMES)
def test_every_invariant_has_its_paragraph(name: str) -> None:
    """It begins with the violation's own sentence, goes on with the load, and is made of whole sentences."""
    broken = known_bad(name)
    history = broken.bad_history()
    violation = invariants.by_name(broken.breaks).judge(history).violations[0]
    text = paragraph(*counterexample(history, violation))
    assert text.startswith(f"{violation.text} ")
    assert " arrived in " in text
    assert text.endswith(".")
    assert "  " not in text


# What the code should do ----------------------------------------------------------------------------------------------

HANDLERS = "tests/invariants/broken_handlers.py"
IN_CODE = {
    "answer_with_a_misspelt_key": 'answer {"batchItemFailures": [{"itemIdentifier": record["messageId"]}, …]} with the '
    "messages that failed",
    "begun_and_skipped": f"mark the message as done after its work: dynamodb PutItem ({HANDLERS}:176) comes before it",
    "delete_before_the_failure": "leave the delete to Lambda, which deletes what succeeds",
    "message_sent_back_to_its_queue": f"end the loop: stop sending to orders ({HANDLERS}:88) what came from there",
    "order_broken_by_a_partial_answer": "stop at the first failure: worker reported message 1 as failed and went on "
    "with message 2 of its group; report these, too",
    "publish_that_is_not_checked": f"before sns Publish ({HANDLERS}:142), write a record under the record's messageId "
    "on the condition that there is none; or pass that on, by which the receiver can tell the repetition",
    "send_that_is_not_checked": f"before the send to invoices ({HANDLERS}:88), write a record under the record's "
    "messageId on the condition that there is none; or pass that on, by which the receiver can tell the repetition",
}


@pytest.mark.parametrize("name", NAMES)
def test_the_code_is_told_to_change_where_its_history_shows_what_is_missing(name: str) -> None:
    """One sentence about its own calls and answers; none where a setting is the answer."""
    broken = known_bad(name)
    history = broken.bad_history()
    violation = invariants.by_name(broken.breaks).judge(history).violations[0]
    found = attrs.evolve(counterexample(history, violation)[0], invariant=broken.breaks)
    assert in_code(found, history) == ([IN_CODE[name]] if name in IN_CODE else [])


def repeated(queue: str, *, claims: tuple[str, str], late: bool = False) -> list[str]:
    """Return the advice on a message that is sent to a queue at two deliveries; `claims`: the key of each claim."""
    story = Story(orders_design()).send()
    places: list[int] = []
    for key in claims:
        batch = story.receive(0).start()
        claim = ServiceCalled(
            story.now, batch.started, "worker", batch.invocation, "dynamodb", "PutItem", claims=(key,), place="a.py:1"
        )
        sent = Sent(story.now, batch.started, queue, 10 + len(places), 1, "", contents="x", place="a.py:2")
        found = [story.tell(event) for event in ((sent, claim) if late else (claim, sent)) if event is sent or key]
        places += [batch.started, *(place for place in found if story.events[place] is sent)]
        batch.finish("crashed").release("failed")
        story.at(story.now / 1000 + 30).give_back(0)
    history = story.end()
    violation = Violation("no-repeated-send", "…", history.ended_at_ms, "orders", (0,), tuple(places))
    return in_code(counterexample(history, violation)[0], history)


def test_claims_that_do_not_help_are_named() -> None:
    """One that comes after the effect, and one under another key each time."""
    assert repeated("mails", claims=("a", "a"), late=True) == [
        "write the record before the effect: dynamodb PutItem (a.py:1) comes after the send to mails (a.py:2)"
    ]
    assert repeated("mails", claims=("a", "b")) == [
        "claim with the same key for each delivery: dynamodb PutItem (a.py:1) has another one each time"
    ]


def test_FF_5_a_fifo_queue_tells_repetitions_by_an_id() -> None:
    """So the send needs no record."""
    assert repeated("mails.fifo", claims=("", "")) == [
        "send with a MessageDeduplicationId made of the record's messageId (a.py:2)"
    ]


def test_an_error_that_code_swallows_is_named() -> None:
    """The call failed, and the function succeeded all the same."""
    story = Story(orders_design()).send()
    batch = story.receive(0).start()
    call = ServiceCalled(
        story.now, batch.started, "worker", batch.invocation, "sns", "Publish", "Throttling", "f", place="a.py:3"
    )
    index = story.tell(call)
    batch.finish()
    history = story.end()
    text = "Message 1 counts as processed without sns Publish: the call sns Publish (a.py:3) failed at 0.0 s, and …"
    violation = Violation("no-work-half-done", text, 0, "orders", (0,), (batch.started, index, batch.last))
    assert in_code(counterexample(history, violation)[0], history) == [
        "let the error of sns Publish (a.py:3) end the invocation, or report the message as failed"
    ]

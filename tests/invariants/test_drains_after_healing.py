from __future__ import annotations

import attrs
import pytest

from chaosqs.invariants import DRAINS_AFTER_HEALING
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import Received
from chaosqs.model.faults import Action, FaultPlan
from chaosqs.model.history import History
from chaosqs.model.liveness import liveness_deadline
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import Story, orders_design

FAILING = {"worker": Behaviour(error_rate=1)}
PLAIN = orders_design(max_receive_count=None)
ONE = (Burst("orders", 1),)


def played(scenario: Scenario) -> History:
    """Run a scenario to its bound."""
    end = liveness_deadline(scenario.design, scenario.workload, scenario.behaviours, scenario.faults)
    return simulate(attrs.evolve(scenario, until=end))


def verdict(scenario: Scenario) -> Verdict:
    return DRAINS_AFTER_HEALING.judge(played(scenario))


FIFO = Design([Queue("orders.fifo")], [Function("worker")], [EventSourceMapping("orders.fifo", "worker")])
SWITCHED_OFF = orders_design(max_receive_count=None, function=Function("worker", reserved_concurrency=0))
CROWDED = orders_design(max_receive_count=None, function=Function("worker"), account=Account(10, 10))
DISABLED = orders_design(max_receive_count=None, mapping=EventSourceMapping("orders", "worker", enabled=False))
CHANGE = FaultPlan(actions=[Action("change", "worker", 0, "reserved_concurrency", 0)])
NO_POLICY = "worker fails on it, and without a redrive policy it is retried until its retention ends"
EXCUSES = {
    "failing, no policy": (Scenario(PLAIN, ONE, FAILING), f"Message 1 is still in orders: {NO_POLICY}"),
    "poison, no policy": (
        Scenario(PLAIN, [Burst("orders", 2)], {"worker": Behaviour(poison=[1])}),
        f"Message 2 is still in orders: {NO_POLICY}",
    ),
    "a failing group": (
        Scenario(FIFO, [Burst("orders.fifo", 12, groups=1)], FAILING),
        f"12 messages are still in orders.fifo: {NO_POLICY}",
    ),
    "more deliveries than one waits for": (
        Scenario(orders_design(max_receive_count=1000), ONE, FAILING),
        "Message 1 is still in orders: worker fails on it, and max_receive_count grants 1,000 deliveries",
    ),
    "switched off": (
        Scenario(SWITCHED_OFF, [Burst("orders", 2)]),
        "Messages 1 and 2 are still in orders: worker is switched off by its reserved concurrency of 0",
    ),
    "no room": (
        Scenario(CROWDED, ONE),
        "Message 1 is still in orders: other traffic takes all executions that worker could have",
    ),
    "disabled": (Scenario(DISABLED, ONE), "Message 1 is still in orders: orders→worker is disabled"),
    "an operator": (
        Scenario(PLAIN, [Burst("orders", 1, at=1)], faults=CHANGE),
        "Message 1 is still in orders: an operator changed reserved_concurrency of worker at 0.0 s",
    ),
}


@pytest.mark.parametrize(("scenario", "excuse"), EXCUSES.values(), ids=EXCUSES)
def test_what_cannot_end_is_excused_and_shown(scenario: Scenario, excuse: str) -> None:
    """Each excuse has its name, and says which messages it is about."""
    found = verdict(scenario)
    assert (found.violations, found.excused) == ((), (excuse,))


def test_what_is_excused_does_not_count_as_judged() -> None:
    """A pass over excused messages alone is none."""
    found = verdict(Scenario(PLAIN, ONE, FAILING))
    assert (found.status, found.exercised) == (Status.NOT_EXERCISED, 0)
    assert found.reason == found.excused[0]


def test_a_run_that_ends_too_soon_shows_nothing() -> None:
    """Nobody can know what would have become of the message."""
    found = DRAINS_AFTER_HEALING.judge(simulate(Scenario(PLAIN, ONE, {"worker": Behaviour(4)}, until=1)))
    assert found.status is Status.NOT_EXERCISED
    assert found.reason.startswith("Message 1 is still in orders: the run ended at 1.0 s, it takes up to ")


def test_messages_that_are_done_with_count() -> None:
    """Processed, dead-lettered and expired are three ways to end well, as far as liveness goes."""
    for design in (PLAIN, orders_design(max_receive_count=1), orders_design(retention_period=60)):
        found = verdict(Scenario(design, [Burst("orders", 3)], {"worker": Behaviour(poison=[])}))
        assert (found.status, found.exercised) == (Status.HOLDS, 3)


def test_a_design_without_a_mapping_promises_nothing() -> None:
    """Nobody takes its messages away."""
    assert verdict(Scenario(Design([Queue("orders")]), ONE)).status is Status.NOT_APPLICABLE


def test_a_run_without_messages_shows_nothing() -> None:
    """Then nothing could have got stuck."""
    found = verdict(Scenario(PLAIN))
    assert (found.status, found.reason) == (Status.NOT_EXERCISED, "no message was sent")


def test_a_message_that_nobody_receives_is_stuck() -> None:
    """A poller that forgets to look is told as such."""
    found = DRAINS_AFTER_HEALING.judge(Story(PLAIN).send().at(1000).end())
    assert [violation.text for violation in found.violations] == [
        "Message 1 is still in orders although all could be over by 302.0 s: no poller has received it."
    ]


def test_throttles_that_never_end_are_told() -> None:
    """So are all deliveries that end alike, as a circle."""
    story = Story(PLAIN).send()
    for number in range(12):
        batch = story.at(30 * number).receive(0).throttle()
        story.at(30 * number + 30)
        batch.release("throttled")
        story.give_back(0)
    (violation,) = DRAINS_AFTER_HEALING.judge(story.end()).violations
    assert violation.text.endswith(
        "it was received 12 times, and each time worker had no execution for it – a circle: the last 12 times "
        "nothing else had changed."
    )
    assert isinstance(story.events[violation.events[-2]], Received)


def test_a_message_that_is_in_work_for_ever_is_told() -> None:
    """An invocation that does not end is no circle."""
    story = Story(PLAIN).send()
    story.receive(0).start()
    (violation,) = DRAINS_AFTER_HEALING.judge(story.at(1000).end()).violations
    assert violation.text.endswith("it was received once, and is in work.")


def test_a_message_that_was_processed_may_linger() -> None:
    """One lost delete is no circle: the promise is that it is processed."""
    story = Story(PLAIN).send()
    story.receive(0).start().finish().delete(stayed=(0,), fault="lost_delete at receive 1 of message 1")
    assert DRAINS_AFTER_HEALING.judge(story.at(1000).end()).status is Status.HOLDS


def test_dead_letter_queues_that_are_polled_have_to_drain_too() -> None:
    """The message moves on, and the promise with it."""
    design = Design(
        [Queue("orders", redrive=Redrive("dlq", 1)), Queue("dlq")],
        [Function("worker")],
        [EventSourceMapping("orders", "worker"), EventSourceMapping("dlq", "worker")],
    )
    found = verdict(Scenario(design, ONE, FAILING))
    assert found.excused == (f"Message 1 is still in dlq: {NO_POLICY}",)


def _loop(*names: str) -> Design:
    """Return queues of which each is the dead-letter queue of the one before it, and the first that of the last."""
    around = zip(names, (*names[1:], names[0]), strict=True)
    queues = [Queue(name, redrive=Redrive(target, 1)) for name, target in around]
    return Design(queues, [Function("worker")], [EventSourceMapping(name, "worker") for name in names])


@pytest.mark.parametrize("names", [("a", "b"), ("a", "b", "c"), ("a.fifo", "b.fifo")])
def test_a_loop_of_redrive_policies_is_told_as_one_and_cut(names: tuple[str, ...]) -> None:
    """After ten rounds in which nothing new happened; without a cut it would last for days."""
    fifo = names[0].endswith(".fifo")
    history = simulate(Scenario(_loop(*names), [Burst(names[0], 2, groups=int(fifo))], FAILING))
    assert history.ended_at_ms == 10 * len(names) * 30_000
    assert history.drained_at_ms is None
    violation = DRAINS_AFTER_HEALING.judge(history).violations[0]
    way = " → ".join((*names, names[0]))
    assert violation.text.startswith(f"Message 1 goes round without end: redrive policies lead {way}. It came to")
    assert violation.text.endswith("and each time worker failed on it.")


def test_a_loop_in_which_something_may_change_is_not_cut() -> None:
    """A function that fails by chance may succeed in a later round; what it processed has left the loop."""
    unsteady = {"worker": Behaviour(error_rate=0.9)}
    history = simulate(Scenario(_loop("a", "b"), [Burst("a", 3)], unsteady, seed=3))
    assert history.drained_at_ms is not None
    assert DRAINS_AFTER_HEALING.judge(history).status is Status.HOLDS
    cut = simulate(Scenario(_loop("a", "b"), [Burst("a", 3)], unsteady, seed=3, until=60))
    assert DRAINS_AFTER_HEALING.judge(cut).violations == ()

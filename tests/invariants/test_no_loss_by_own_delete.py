"""Messages that code deletes by itself: whose are lost when the invocation fails (EF-4)."""

from __future__ import annotations

import attrs
import pytest

from chaosqs.invariants import NO_LOSS_BY_OWN_DELETE
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.events import Outcome
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import Alone, History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.model.workload import Burst
from chaosqs.search.oracle import AloneOutcomes
from chaosqs.simulation.run import simulate
from tests.invariants.builder import Story, orders_design

judge = NO_LOSS_BY_OWN_DELETE.judge
REAL = Behaviour(handler="shop.worker:handler")
PAIRS = orders_design(mapping=EventSourceMapping("orders", "worker", 2))


def deleted(*messages: int, outcome: Outcome = "raised", fault: str = "", stayed: bool = False) -> History:
    """Two messages, of which code deletes some before its invocation ends."""
    story = Story(PAIRS).send(2)
    batch = story.receive(0, 1).start()
    if not stayed:
        story.client_deletes(*messages)
    batch.finish(outcome, fault=fault)
    return story.end(behaviour=REAL)


def test_a_failed_batch_does_not_tell_whose_work_was_done() -> None:
    """The deleted message may have been processed before another one failed: it has to be run alone."""
    verdict = judge(deleted(0))
    assert (verdict.status, verdict.unsettled) == (Status.INCONCLUSIVE, (("orders→worker", 0),))


@pytest.mark.parametrize(
    ("alone", "lost"),
    [
        (Alone(failed=True), True),
        (Alone(failed=False, deleted_early=True), True),
        (Alone(failed=False), False),
    ],
)
def test_EF_4_a_message_is_lost_if_it_was_deleted_before_its_work_was_done(alone: Alone, *, lost: bool) -> None:
    """Code that deletes each message after its work loses none, whatever its neighbours do, and whoever ends it."""
    for fault in ("", "crash at receive 1 of message 1"):
        history = attrs.evolve(deleted(0, fault=fault), alone={("orders→worker", 0): alone})
        assert judge(history).status is (Status.VIOLATED if lost else Status.HOLDS)


def test_what_succeeds_or_is_not_deleted_is_not_lost() -> None:
    """Code may delete what it processes, and what fails without a delete comes back."""
    assert judge(deleted(0, outcome="succeeded")).status is Status.HOLDS
    assert judge(deleted(stayed=True)).status is Status.NOT_EXERCISED


def test_models_delete_nothing() -> None:
    """Only real code deletes messages by itself."""
    assert judge(Story(PAIRS).end()).status is Status.NOT_APPLICABLE


@pytest.mark.parametrize(("handler", "lost"), [("deletes_first", True), ("deletes_last", False)])
def test_a_crash_loses_what_was_deleted_before_the_work(handler: str, *, lost: bool) -> None:
    """An environment may die at any moment: what was deleted before the work is gone then."""
    behaviour = Behaviour(handler=f"tests.invariants.broken_handlers:{handler}")
    plan = FaultPlan(messages=[["timeout"]])
    history = simulate(Scenario(orders_design(), [Burst("orders", 1)], {"worker": behaviour}, plan))
    verdict = AloneOutcomes().settled(NO_LOSS_BY_OWN_DELETE, history)
    assert verdict.status is (Status.VIOLATED if lost else Status.HOLDS)
    if lost:
        assert (
            "deleted it by itself and then timed out (timeout at receive 1 of message 1)" in verdict.violations[0].text
        )


def test_PQ_1_code_that_purges_its_queue_loses_what_was_not_processed() -> None:
    """The message of the invocation itself is processed; the others are gone, seen or not."""
    behaviour = Behaviour(handler="tests.invariants.broken_handlers:purges")
    history = simulate(Scenario(orders_design(), [Burst("orders", 4)], {"worker": behaviour}))
    verdict = NO_LOSS_BY_OWN_DELETE.judge(history)
    lost = 4 - history.summary()["messages"]["processed"]
    assert len(verdict.violations) == lost > 0
    assert verdict.violations[-1].text == (
        "Message 4 is gone from orders: worker purged the queue, and no function had succeeded on the message."
    )

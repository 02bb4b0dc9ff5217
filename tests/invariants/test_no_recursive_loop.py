"""Messages that Lambda's recursion guard drops are blamed on the loop (LX-16, LX-17)."""

from __future__ import annotations

import pytest

from chaosqs.invariants import NO_RECURSIVE_LOOP, bounded_retries
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import Story, orders_design

judge = NO_RECURSIVE_LOOP.judge


def looped(redrive: Redrive | None) -> History:
    queues = [Queue("orders", redrive=redrive, retention_period=3600), *([Queue("dead")] if redrive else [])]
    design = Design(queues, [Function("worker")], [EventSourceMapping("orders", "worker", 1)])
    behaviour = Behaviour(handler="tests.invariants.broken_handlers:sends_back")
    return simulate(Scenario(design, [Burst("orders", 1)], {"worker": behaviour}))


@pytest.mark.parametrize(
    ("redrive", "fate"),
    [
        (Redrive("dead", 3), "it goes to dead after being received 3 times."),
        (None, "it comes back until its retention is over."),
    ],
)
def test_LX_17_the_guard_is_the_reason_with_a_dead_letter_queue_and_without(redrive: Redrive | None, fate: str) -> None:
    """One violation for the message that is dropped, however often it comes back."""
    (violation,) = judge(looped(redrive)).violations
    assert violation.messages == (16,)
    assert "Lambda's guard against recursive loops dropped it" in violation.text
    assert violation.text.endswith(fate)


def test_LX_17_endless_retries_are_blamed_on_the_guard() -> None:
    """A redrive policy would end them, but they come from the loop."""
    (violation,) = bounded_retries().judge(looped(None)).violations
    assert violation.text.endswith(
        "Lambda's guard against recursive loops dropped it each time, and orders has no redrive policy."
    )


def test_models_send_nothing() -> None:
    """A loop needs code that sends."""
    assert judge(Story(orders_design()).send().end()).status is Status.NOT_APPLICABLE


def test_code_that_sends_nothing_proves_nothing() -> None:
    """Nor does code whose messages go nowhere round."""
    verdict = judge(Story(orders_design()).send().end(behaviour=Behaviour(handler="shop.worker:handler")))
    assert (verdict.status, verdict.reason) == (Status.NOT_EXERCISED, "no function sent a message")

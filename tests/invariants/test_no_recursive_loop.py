"""Messages that Lambda's recursion guard drops are blamed on the loop (LX-16, LX-17), and allowed loops too (LX-20)."""

from __future__ import annotations

import pytest

from chaosqs.invariants import NO_RECURSIVE_LOOP, bounded_retries
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, RecursiveLoop, Redrive
from chaosqs.model.events import InvocationStarted, ServiceFailed
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import Story, orders_design

judge = NO_RECURSIVE_LOOP.judge
PLAIN, ALLOWING = Function("worker"), Function("worker", recursive_loop="Allow")


def looped(
    redrive: Redrive | None,
    function: Function = PLAIN,
    *,
    handler: str = "sends_back",
    messages: int = 1,
    until: float | None = None,
) -> History:
    queues = [Queue("orders", redrive=redrive, retention_period=3600), *([Queue("dead")] if redrive else [])]
    design = Design(queues, [function], [EventSourceMapping("orders", "worker", 1)])
    behaviour = Behaviour(handler=f"tests.invariants.broken_handlers:{handler}")
    return simulate(Scenario(design, [Burst("orders", messages)], {"worker": behaviour}, until=until))


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


def test_LX_16_two_functions_that_feed_each_other_are_a_loop() -> None:
    """Each is counted on its own; botocore writes the bar between them as `%7C`."""
    pairs = {"orders": "worker", "returns": "auditor"}
    design = Design(
        [Queue("orders", redrive=Redrive("dead", 3)), Queue("returns"), Queue("dead")],
        [Function(name) for name in pairs.values()],
        [EventSourceMapping(queue, function) for queue, function in pairs.items()],
    )
    behaviour = Behaviour(handler="tests.invariants.broken_handlers:sends_to_the_other_queue")
    history = simulate(Scenario(design, [Burst("orders", 1)], dict.fromkeys(pairs.values(), behaviour)))
    (violation,) = judge(history).violations
    assert violation.messages == (32,)
    assert "the messages before it went through worker about 16 times" in violation.text


def test_models_send_nothing() -> None:
    """A loop needs code that sends."""
    assert judge(Story(orders_design()).send().end()).status is Status.NOT_APPLICABLE


def test_code_that_sends_nothing_proves_nothing() -> None:
    """Nor does code whose messages go nowhere round."""
    verdict = judge(Story(orders_design()).send().end(behaviour=Behaviour(handler="shop.worker:handler")))
    assert (verdict.status, verdict.reason) == (Status.NOT_EXERCISED, "no function sent a message")


# Loops that their function allows -------------------------------------------------------------------------------------


def test_LX_20_a_loop_that_is_allowed_goes_on_and_is_found() -> None:
    """Nothing is refused; the first message that the guard would have dropped is blamed."""
    history = looped(None, ALLOWING, until=2)
    (violation,) = judge(history).violations
    assert history.each(ServiceFailed) == []
    passes = len(history.each(InvocationStarted))
    assert passes > 16
    assert violation.messages == (16,)
    assert violation.text == (
        f"Message 17 is part of a loop without end: the messages before it went through worker 16 times, and when the "
        f"run ended they had gone through it {passes} times. worker has recursive_loop 'Allow', so Lambda's guard does "
        f"not stop the loop."
    )
    sent, started = (history.events[index] for index in (violation.events[0], violation.events[-1]))
    assert isinstance(started, InvocationStarted)
    assert (started.messages, started.at) == ((16,), violation.at)
    assert sent.at <= started.at


def test_LX_20_a_run_without_a_length_ends_after_200_passes() -> None:
    """More of a loop shows nothing new."""
    history = looped(None, ALLOWING)
    assert len(history.each(InvocationStarted)) == 201, "the 200 passes, and the invocation that shows it"
    assert history.drained_at_ms is None
    assert [violation.messages for violation in judge(history).violations] == [(16,)]


def test_LX_20_each_loop_is_told_once() -> None:
    """Two messages make two."""
    violations = judge(looped(None, ALLOWING, messages=2, until=2)).violations
    assert len(violations) == 2


@pytest.mark.parametrize(("loop", "verdict"), [("Allow", Status.HOLDS), ("Terminate", Status.VIOLATED)])
def test_LX_20_a_recursion_that_ends_is_what_allow_is_for(loop: RecursiveLoop, verdict: Status) -> None:
    """A message that goes round 20 times is dropped by default, and arrives where loops are allowed."""
    function = Function("worker", recursive_loop=loop)
    history = looped(Redrive("dead", 2), function, handler="sends_back_20_times")
    assert judge(history).status is verdict
    assert len(history.each(InvocationStarted)) == {"Allow": 21, "Terminate": 16}[loop]
    assert history.drained_at_ms is not None

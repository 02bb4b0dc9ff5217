"""Executions that count against each limit, and their ends."""

from __future__ import annotations

from chaosqs.invariants import CONCURRENCY_WITHIN_ITS_LIMITS
from chaosqs.model.design import EventSourceMapping, Function
from chaosqs.model.verdict import Status
from tests.invariants.builder import Story, orders_design

judge = CONCURRENCY_WITHIN_ITS_LIMITS.judge


def test_counts_invocations() -> None:
    """A limit that is reached holds; every start could have broken it."""
    story = Story(orders_design()).send(3)
    first = story.receive(0).start()
    story.receive(1).start()
    first.finish()
    story.receive(2).start()
    verdict = judge(story.end())
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 3)


def test_execution_counts_until_its_code_ends() -> None:
    """An execution whose poller has given up is as busy as any other."""
    story = Story(orders_design(function=Function("worker", reserved_concurrency=1))).send(2)
    story.receive(0).start().release("no answer")
    story.receive(1).start()
    (violation,) = judge(story.end()).violations
    assert violation.text == "worker had 2 executions at once when message 2 came: the limit is 1."
    assert violation.events == (3, 6)
    assert (violation.queue, violation.messages) == ("", (1,))


def test_release_without_an_invocation_changes_nothing() -> None:
    """A batch that was never invoked holds no invocation in flight."""
    mapping = EventSourceMapping("orders", "worker", maximum_concurrency=2)
    story = Story(orders_design(mapping=mapping)).send(3)
    story.receive(0).start()
    story.receive(1).start()
    story.receive(2).throttle().release("throttled")
    assert judge(story.end()).status is Status.HOLDS


def test_ended_invocation_is_not_in_flight() -> None:
    """A mapping may go on as soon as it has its answer."""
    mapping = EventSourceMapping("orders", "worker", maximum_concurrency=2)
    story = Story(orders_design(mapping=mapping)).send(5)
    for message in range(4):
        story.receive(message).start().finish()
    story.receive(4).release("no answer")
    verdict = judge(story.end())
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 4)


def test_throttle_of_a_fault_says_nothing_about_executions() -> None:
    """A fault throttles whatever runs."""
    story = Story(orders_design()).send()
    story.receive(0).throttle(running=2, fault="throttled at receive 1 of message 1").start()
    assert judge(story.end()).status is Status.HOLDS


def test_LC_12_throttle_with_room_left_is_told() -> None:
    """A throttle that takes executions for busy which are not is a leak."""
    story = Story(orders_design()).send(2)
    story.receive(0).start()
    story.receive(1).throttle(running=2)
    (violation,) = judge(story.end()).violations
    assert violation.text == "worker was throttled with message 2 as if 2 executions ran, but 1 did."

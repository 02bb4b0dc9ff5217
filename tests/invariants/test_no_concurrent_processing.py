"""When two invocations have one message, and when only a fault is to blame."""

from __future__ import annotations

import pytest

from chaosqs.invariants import NO_CONCURRENT_PROCESSING
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.verdict import Status
from tests.invariants.builder import Batch, Story, orders_design

judge = NO_CONCURRENT_PROCESSING.judge


def again(story: Story, seconds: float, *, fault: str = "") -> Batch:
    return story.at(seconds).give_back(0, fault=fault).receive(0, poller=2).start()


def test_second_invocation_while_the_first_one_runs() -> None:
    """Blamed are both receives and both starts; the count is of repeated invocations."""
    story = Story(orders_design()).send()
    first = story.receive(0).start()
    again(story, 30)
    story.at(31)
    first.finish()
    verdict = judge(story.end())
    (violation,) = verdict.violations
    assert (violation.at, violation.events, verdict.exercised) == (30_000, (1, 2, 4, 5), 1)
    assert violation.text == (
        "Message 1 was given to worker while worker still worked on it: its visibility timeout was 30.0 s."
    )


def test_wait_before_the_invocation_is_told() -> None:
    """Where a window or throttles ate the visibility timeout, the text says how much of it."""
    story = Story(orders_design()).send()
    batch = story.receive(0)
    story.at(28)
    batch.start()
    again(story, 30)
    (violation,) = judge(story.end()).violations
    assert violation.text.endswith("its visibility timeout was 30.0 s, 28.0 s of which passed before the invocation.")


def test_one_after_the_other_holds() -> None:
    """An invocation that ends as the next one starts is over."""
    story = Story(orders_design()).send()
    first = story.receive(0).start()
    story.at(30)
    first.finish("raised").release("failed")
    again(story, 30)
    verdict = judge(story.end())
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 1)


def test_OR_4_duplicate_of_a_replica_excuses() -> None:
    """SQS may deliver twice at once; no design prevents it."""
    fault = "duplicate at receive 1 of message 1"
    story = Story(orders_design()).send()
    story.receive(0, fault=fault).start()
    again(story, 0, fault=fault)
    verdict = judge(story.end())
    assert (verdict.status, verdict.excused) == (
        Status.HOLDS,
        (f"Message 1 was given to worker while worker still worked on it, but only by a fault: {fault}",),
    )


@pytest.mark.parametrize(("seconds", "status"), [(28, Status.HOLDS), (3, Status.VIOLATED)])
def test_delay_by_a_fault_excuses_as_far_as_it_goes(seconds: int, status: Status) -> None:
    """A poller that stalled for 28 s is the reason, one that stalled for 3 s is not: the run was 6 s late."""
    story = Story(orders_design()).send()
    batch = story.receive(0).hold(seconds, "stall at receive 1 of message 1")
    story.at(seconds)
    first = batch.start()
    again(story, 30)
    story.at(36)
    first.finish()
    assert judge(story.end()).status is status


def test_throttles_of_a_fault_excuse_those_of_the_design_do_not() -> None:
    """Retries in place go on until visibility ends (ES-8)."""
    for fault, status in (("throttled at receive 1 of message 1", Status.HOLDS), ("", Status.VIOLATED)):
        story = Story(orders_design()).send()
        batch = story.receive(0).throttle(fault=fault)
        story.at(29)
        batch.start()
        again(story, 30)
        story.at(33)
        batch.finish()
        assert judge(story.end()).status is status


def test_change_by_an_operator_excuses() -> None:
    """No design foresees that somebody lowers the visibility timeout while it runs."""
    story = Story(orders_design()).send().operate("orders", "visibility_timeout", 0)
    story.receive(0).start()
    again(story, 1)
    (excuse,) = judge(story.end()).excused
    assert excuse.endswith("but only by a fault: an operator changed visibility_timeout of orders to 0")


def test_nothing_polls_nothing_is_repeated() -> None:
    """Not applicable without a mapping, not exercised where each message was handed out once."""
    mapping = EventSourceMapping("orders", "worker", enabled=False)
    assert judge(Story(orders_design(mapping=mapping)).end()).status is Status.NOT_APPLICABLE
    story = Story(orders_design()).send()
    story.receive(0).start().finish().delete()
    verdict = judge(story.end())
    assert (verdict.status, verdict.reason) == (Status.NOT_EXERCISED, "no message was handed to a function twice")

"""When a message that was done is done again, and when only a fault is to blame."""

from __future__ import annotations

import pytest

from chaosqs.invariants import NO_SECOND_PROCESSING
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.verdict import Status
from tests.invariants.builder import Story, orders_design

judge = NO_SECOND_PROCESSING.judge


def test_late_success_is_told_with_how_late_it_was() -> None:
    """The function succeeded after the visibility timeout, and the next poller had the message by then (EF-7)."""
    story = Story(orders_design()).send()
    first = story.receive(0).start()
    second = story.at(30).give_back(0).receive(0, poller=2)
    story.at(31)
    first.finish().delete(stayed=(0,))
    story.at(32)
    second.start()
    (violation,) = judge(story.end()).violations
    assert (violation.at, violation.events) == (32_000, (1, 4, 5, 7))
    assert violation.text == (
        "Message 1 was given to worker although worker had succeeded on it: "
        "that was 1.0 s after its visibility timeout of 30.0 s."
    )


def test_message_that_nobody_deleted() -> None:
    """Where the success was in time, and no fault intervened, it was not deleted."""
    story = Story(orders_design()).send()
    story.receive(0).start().finish()
    story.at(30).give_back(0).receive(0).start()
    (violation,) = judge(story.end()).violations
    assert violation.text.endswith("it was not deleted before it came back.")


def test_second_attempt_after_a_failure_is_what_queues_are_for() -> None:
    """Only a success counts; a message that was reported as failed was not processed."""
    story = Story(orders_design()).send()
    story.receive(0).start().finish("raised").release("failed")
    story.at(30).give_back(0).receive(0).start().finish(failed=(0,))
    story.at(60).give_back(0).receive(0).start().finish().delete()
    verdict = judge(story.end())
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 1)


@pytest.mark.parametrize("where", ["delete", "response", "reappears"])
def test_faults_excuse(where: str) -> None:
    """A delete that got lost (EF-5), an answer that did (EP-13), a replica that missed the delete (RH-10)."""
    fault = "some_fault at receive 1 of message 1"
    story = Story(orders_design()).send()
    batch = story.receive(0).start()
    if where == "response":
        batch.finish(answered=False, fault=fault).release("no answer")
    elif where == "delete":
        batch.finish().delete(stayed=(0,), fault=fault)
    else:
        batch.finish().delete()
    story.at(30).give_back(0, fault=fault if where == "reappears" else "").receive(0).start()
    verdict = judge(story.end())
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 1)
    assert verdict.excused == (
        f"Message 1 was given to worker although worker had succeeded on it, but only by a fault: {fault}",
    )


def test_fault_of_the_handler_does_not_excuse_a_short_visibility_timeout() -> None:
    """A handler may take until its timeout; the visibility timeout has to cover that."""
    story = Story(orders_design()).send()
    first = story.receive(0).start()
    second = story.at(30).give_back(0).receive(0, poller=2)
    story.at(31)
    first.finish(fault="slow at receive 1 of message 1").delete(stayed=(0,))
    second.start()
    assert judge(story.end()).status is Status.VIOLATED


def test_delivery_that_was_held_back_counts_when_it_starts() -> None:
    """Of two deliveries the one received first may start last: the text says for how long it was held."""
    story = Story(orders_design()).send()
    held = story.receive(0)
    story.at(30).give_back(0).receive(0, poller=2).start().finish().delete()
    story.at(31)
    held.start()
    (violation,) = judge(story.end()).violations
    assert violation.text.endswith("although worker had succeeded on it: its poller had held it for 31.0 s.")


def test_stall_of_the_poller_that_is_late_excuses() -> None:
    """So does a fault that throttled it; throttles of the design do not."""
    for fault in ("stall at receive 1 of message 1", "throttled at receive 1 of message 1", ""):
        story = Story(orders_design()).send()
        held = story.receive(0)
        held = held.hold(31, fault) if fault.startswith("stall") else held.throttle(fault=fault)
        story.at(30).give_back(0).receive(0, poller=2).start().finish().delete()
        story.at(31)
        held.start()
        assert judge(story.end()).status is (Status.HOLDS if fault else Status.VIOLATED)


@pytest.mark.parametrize(("poller", "status"), [(1, Status.HOLDS), (2, Status.VIOLATED)])
def test_fault_that_held_the_batch_before_excuses_what_waited_for_it(poller: int, status: Status) -> None:
    """What one payload did not hold waits in the poller's hand for the batch before it (EP-9), not for another's."""
    story = Story(orders_design()).send(2)
    batch, waiting = story.receive(0, poller=poller), story.receive(1)
    batch.throttle(fault="throttled at receive 1 of message 1")
    story.at(30).give_back(1).receive(1, poller=3).start().finish().delete()
    story.at(31)
    waiting.start()
    assert judge(story.end()).status is status


def test_nothing_processed_proves_nothing() -> None:
    """Not applicable without a mapping, not exercised without a success."""
    mapping = EventSourceMapping("orders", "worker", enabled=False)
    assert judge(Story(orders_design(mapping=mapping)).end()).status is Status.NOT_APPLICABLE
    verdict = judge(Story(orders_design()).send().end())
    assert (verdict.status, verdict.reason) == (Status.NOT_EXERCISED, "no function succeeded on a message")

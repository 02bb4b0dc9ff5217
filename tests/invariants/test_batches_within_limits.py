"""Limits of a batch: its size, and the time that a poller keeps it."""

from __future__ import annotations

import pytest

from chaosqs.invariants import BATCHES_WITHIN_LIMITS
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.events import Sent
from chaosqs.model.verdict import Status
from tests.invariants.builder import Story, orders_design

judge = BATCHES_WITHIN_LIMITS.judge


def windowed(window: int = 5) -> Story:
    mapping = EventSourceMapping("orders", "worker", batch_size=10, maximum_batching_window=window)
    return Story(orders_design(mapping=mapping))


def test_EC_1_batch_of_the_batch_size() -> None:
    """A full batch holds; one message more is blamed at its first attempt, be that a throttle, and once only."""
    story = Story(orders_design(mapping=EventSourceMapping("orders", "worker", batch_size=2))).send(5)
    story.receive(0, 1).start()
    story.receive(2, 3, 4, poller=2).throttle().throttle().start()
    verdict = judge(story.end())
    assert [violation.text for violation in verdict.violations] == [
        "orders→worker handed 3 messages to worker at once: its batch_size is 2."
    ]
    assert verdict.exercised == 2


def test_batch_size_changed_by_an_operator() -> None:
    """Which of the two holds for a batch under way nobody promises: the larger one does."""
    story = Story(orders_design(mapping=EventSourceMapping("orders", "worker", batch_size=1))).send(2)
    story.operate("orders→worker", "batch_size", 2).receive(0, 1).start()
    assert judge(story.end()).status is Status.HOLDS


def test_EP_8_one_message_is_always_a_batch() -> None:
    """However large it is."""
    story = Story(orders_design())
    story.tell(Sent(0, None, "orders", 0, 7_000_000, ""))
    story.receive(0).start()
    assert judge(story.end()).status is Status.HOLDS


def test_EP_4_window_counts_from_the_oldest_message() -> None:
    """Messages that come later do not keep the batch open for longer than window and low traffic."""
    story = windowed().send(2)
    story.receive(0)
    story.at(20)
    story.receive(1)
    story.at(31)
    batch = story.receive(1)
    batch.messages = (0, 1)
    batch.start()
    (violation,) = judge(story.end()).violations
    assert violation.text == (
        "orders→worker held messages 1 and 2 for 31.0 s before it invoked worker: its maximum_batching_window is 5.0 s."
    )


def test_EP_5_window_opens_when_the_invocation_before_has_ended() -> None:
    """What a poller receives meanwhile waits for that; where it is given up, from then on."""
    story = windowed().send(2)
    first = story.receive(0)
    story.at(10)
    first.start()
    second = story.at(11).receive(1)
    story.at(100)
    first.finish().delete()
    story.at(110)
    second.start()
    assert judge(story.end()).status is Status.HOLDS


def test_EP_3_without_a_window_nothing_is_held() -> None:
    """Nor does low traffic excuse: there is nothing to wait for (EP-6)."""
    story = windowed(0).send()
    batch = story.receive(0)
    story.at(10)
    batch.start()
    assert judge(story.end()).status is Status.VIOLATED


def test_throttles_after_the_first_attempt_are_no_holding() -> None:
    """A batch that was tried in time may be retried for as long as it is visible to nobody else (ES-8)."""
    story = windowed(0).send()
    batch = story.receive(0).throttle()
    story.at(25)
    batch.start()
    assert judge(story.end()).status is Status.HOLDS


def test_faults_that_hold_a_batch_excuse() -> None:
    """A stalled poller is named."""
    story = windowed(0).send()
    batch = story.receive(0).hold(10, "stall at receive 1 of message 1")
    story.at(10)
    batch.start()
    verdict = judge(story.end())
    assert (verdict.status, len(verdict.excused)) == (Status.HOLDS, 1)
    assert verdict.excused[0].endswith("but that was a fault: stall at receive 1 of message 1")


def test_message_that_was_filtered_or_given_back_is_not_held() -> None:
    """The clock of the next delivery starts anew."""
    story = windowed(0).send(2)
    story.receive(0, 1).filter_out()
    story.at(50)
    story.receive(0, 1).start()
    assert judge(story.end()).status is Status.HOLDS


def test_run_without_batches_proves_nothing() -> None:
    """Only a batch that is handed over can be too large."""
    assert judge(Story(orders_design()).send().end()).reason == "no batch was handed over"


def test_EP_4_batch_with_room_waits_for_its_window() -> None:
    """From its first message on, or from the end of the invocation before; a full one waits for nothing."""
    early = windowed().send(10)
    batch = early.receive(0)
    early.at(4.9)
    batch.start()
    assert [violation.text for violation in judge(early.end()).violations] == [
        "orders→worker handed message 1 to worker before its window of 5.0 s closed, although the batch had room."
    ]
    full = windowed().send(10)
    full.receive(*range(10)).start()
    assert judge(full.end()).status is Status.HOLDS


def test_EP_4_window_of_another_batch_may_be_over() -> None:
    """It opened when the poller was free again: what comes in its last second goes with it."""
    story = windowed().send(2)
    first = story.receive(0)
    story.at(5)
    first.start()
    story.at(6)
    first.finish().delete()
    story.at(10.5)
    second = story.receive(1)
    story.at(11)
    second.start()
    assert judge(story.end()).status is Status.HOLDS


@pytest.mark.parametrize(("received", "status"), [(15.01, Status.HOLDS), (17, Status.VIOLATED)])
def test_EP_5_window_opens_a_moment_after_an_answer_with_nothing_to_delete(received: float, status: Status) -> None:
    """Which no event tells: a message that comes just after the window of 5 s belongs into it, later ones do not."""
    story = windowed().send(2)
    batch = story.receive(0)
    story.at(9)
    batch.start()
    story.at(10)
    batch.finish(failed=(0,))
    story.at(received)
    second = story.receive(1)
    story.at(received + 0.03)
    second.start()
    assert judge(story.end()).status is status


def test_EP_8_heavy_batch_may_go_before_its_window_closes() -> None:
    """Where the next message may not have fitted in."""
    story = windowed()
    story.tell(Sent(0, None, "orders", 0, 5_000_000, ""))
    story.receive(0).start()
    assert judge(story.end()).status is Status.HOLDS


def test_window_changed_by_an_operator_may_close_early() -> None:
    """Whether the batch under way keeps its window nobody promises."""
    story = windowed().send()
    batch = story.receive(0)
    story.at(1).operate("orders→worker", "maximum_batching_window", 0)
    batch.start()
    assert judge(story.end()).status is Status.HOLDS

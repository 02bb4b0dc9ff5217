"""The fates of deliveries and of dead-lettered messages."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chaosqs.model.delivery import Delivery, Ending
from tests.invariants.builder import Batch, Story, orders_design

FAULT = "crash at receive 1 of message 1"


def delivered(ends: Callable[[Batch], object]) -> Delivery:
    """The one delivery of one message."""
    story = Story(orders_design()).send()
    ends(story.receive(0))
    (delivery,) = story.end().deliveries[0]
    return delivery


def untouched(batch: Batch) -> None:
    assert batch.messages == (0,)


Ends = Callable[[Batch], object]

ENDINGS: dict[str, tuple[Ends, Ending, int | None]] = {
    "untouched": (untouched, Ending.OPEN, None),
    "running": (lambda batch: batch.start(), Ending.OPEN, None),
    "waiting": (lambda batch: batch.throttle(), Ending.OPEN, None),
    "succeeded": (lambda batch: batch.start().finish(), Ending.PROCESSED, 3),
    "deleted": (lambda batch: batch.start().finish().delete(), Ending.PROCESSED, 3),
    "reported": (lambda batch: batch.start().finish(failed=(0,)), Ending.REPORTED, 3),
    "raised": (lambda batch: batch.start().finish("raised").release("failed"), Ending.FAILED, 3),
    "timed out": (lambda batch: batch.start().finish("timed_out"), Ending.FAILED, 3),
    "crashed": (lambda batch: batch.start().finish("crashed"), Ending.FAILED, 3),
    "unanswered": (lambda batch: batch.start().finish(answered=False).release("no answer"), Ending.PROCESSED, 3),
    "throttled": (lambda batch: batch.throttle().throttle().release("throttled"), Ending.THROTTLED, 4),
    "delayed": (lambda batch: batch.throttle().start().finish(), Ending.PROCESSED, 4),
    "filtered": (lambda batch: batch.filter_out(), Ending.FILTERED, 2),
    "service error": (lambda batch: batch.service_error(), Ending.SERVICE_ERROR, 2),
}


@pytest.mark.parametrize("name", ENDINGS)
def test_ending(name: str) -> None:
    """A delivery ends once, at the event that decides it, whatever else follows."""
    ends, ending, ended = ENDINGS[name]
    delivery = delivered(ends)
    assert (delivery.ending, delivery.ended) == (ending, ended)


def test_RX_8_lost_receive() -> None:
    """A receive that the poller never saw is a delivery, lost to its fault at once."""
    fault = "lost_receive at receive 1 of message 1"
    story = Story(orders_design()).send()
    story.receive(0, fault=fault)
    (delivery,) = story.end().deliveries[0]
    assert (delivery.ending, delivery.ended, delivery.fault) == (Ending.LOST, 1, fault)


def test_throttles_are_noted_on_each_message_of_the_batch() -> None:
    """Whoever is in the batch waits with it."""
    story = Story(orders_design()).send(2)
    story.receive(0, 1).throttle().throttle()
    history = story.end()
    assert [history.deliveries[message][0].throttles for message in (0, 1)] == [[3, 4], [3, 4]]


FAULTS: dict[str, tuple[Ends, str]] = {
    "crash": (lambda batch: batch.start().finish("crashed", fault=FAULT), FAULT),
    "crash of its own": (lambda batch: batch.start().finish("crashed"), ""),
    "service error": (lambda batch: batch.service_error(FAULT), FAULT),
    "throttles": (lambda batch: batch.throttle(fault=FAULT).throttle(fault="other").release("throttled"), FAULT),
    "busy at last": (lambda batch: batch.throttle(fault=FAULT).throttle().release("throttled"), ""),
    "busy at first": (lambda batch: batch.throttle().throttle(fault=FAULT).release("throttled"), ""),
    "only delayed": (lambda batch: batch.throttle(fault=FAULT).start().finish(), ""),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_named_where_it_brought_the_ending_about(name: str) -> None:
    """Throttling is a fault's only where all of the throttles were."""
    ends, fault = FAULTS[name]
    assert delivered(ends).fault == fault


def test_partial_failure_ends_each_message_by_itself() -> None:
    """In one batch one message may be processed and another reported."""
    story = Story(orders_design()).send(2)
    story.receive(0, 1).start().finish(failed=(1,))
    history = story.end()
    assert [history.deliveries[message][0].ending for message in (0, 1)] == [Ending.PROCESSED, Ending.REPORTED]


def test_deliveries_of_a_message_come_in_order() -> None:
    """Each receive is one delivery, with its receive count."""
    story = Story(orders_design()).send()
    story.receive(0).start().finish("raised")
    story.at(30).give_back(0).receive(0, poller=2).start().finish()
    first, second = story.end().deliveries[0]
    assert (first.receive_count, first.ending, first.received) == (1, Ending.FAILED, 1)
    assert (second.receive_count, second.ending, second.received) == (2, Ending.PROCESSED, 5)


def test_overlapping_deliveries_are_kept_apart() -> None:
    """A message that two pollers carry at once has two deliveries, each with its own ending (VT-4)."""
    story = Story(orders_design()).send()
    slow = story.receive(0).start()
    fast = story.at(30).give_back(0).receive(0, poller=2).start()
    fast.finish("raised")
    slow.finish()
    assert [delivery.ending for delivery in story.end().deliveries[0]] == [Ending.PROCESSED, Ending.FAILED]


def test_message_that_was_never_received_has_no_deliveries() -> None:
    """Only received messages are listed."""
    assert Story(orders_design()).send().end().deliveries == {}


def test_fate_tells_what_became_of_a_message_before_its_move() -> None:
    """The deliveries from the queue that it left decide whether it was processed, and what throttling used up."""
    story = Story(orders_design()).send(2)
    story.receive(0).throttle().release("throttled")
    story.receive(1, poller=2).start().finish().delete(stayed=(1,), fault="lost_delete")
    story.at(30).give_back(0, 1).dead_letter(1).dead_letter(0).receive(0, mapping="orders-dlq→worker")
    one, other = story.end().dead_lettered
    assert (one.event.message, one.processed, one.throttled) == (1, True, ())
    assert (other.event.message, other.processed, len(other.throttled), len(other.deliveries)) == (0, False, 1, 1)
    assert story.events[other.moved] is other.event


def test_fate_of_a_message_without_deliveries() -> None:
    """A message that was moved unreceived has a fate too."""
    (fate,) = Story(orders_design()).send().dead_letter(0).end().dead_lettered
    assert (fate.deliveries, fate.processed, fate.throttled) == ((), False, ())

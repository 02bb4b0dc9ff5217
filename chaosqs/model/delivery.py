"""The deliveries of each message: one for each receive, with its outcome; and the work of the handler in them.

Metrics and invariants both take their terms (processed, throttled, dead-lettered unprocessed …) from here, so that the
terms mean the same in both.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

import attrs

from chaosqs.model.events import (
    DeadLettered,
    Effect,
    Event,
    FilteredOut,
    InvocationEnded,
    InvocationStarted,
    Received,
    Released,
    Sent,
    ServiceCalled,
    ServiceFailed,
    Throttled,
)


class Ending(StrEnum):
    """The outcome of one delivery."""

    OPEN = "open"
    """The run ended before the delivery did."""
    PROCESSED = "processed"
    """The function succeeded on the message."""
    REPORTED = "reported as failed"
    """The function succeeded, but named the message as failed (PB-*)."""
    FAILED = "failed"
    """The invocation raised, timed out or crashed."""
    THROTTLED = "throttled"
    """No invocation of its batch got an execution within the visibility timeout (ES-8, ES-9)."""
    SERVICE_ERROR = "service error"
    FILTERED = "filtered out"
    """The message matched none of the mapping's filters (FL-2)."""
    LOST = "lost"
    """The poller never saw the message (RX-8)."""
    HELD_BACK = "held back"
    """An earlier message of its group failed, and it had not fitted into one payload with that (EQ-6)."""


@attrs.define
class Delivery:
    """One receive of one message, and its outcome."""

    message: int
    queue: str
    mapping: str
    received: int
    """Index of the `Received` event."""
    receive_count: int
    ending: Ending = Ending.OPEN
    ended: int | None = None
    """Index of the event that ended the delivery."""
    started: int | None = None
    """Index of the `InvocationStarted` event that handed the message to a function."""
    throttles: list[int] = attrs.field(factory=list[int])
    """Indexes of its `Throttled` events."""
    throttled_by: list[str] = attrs.field(factory=list[str])
    """For each of its throttles the fault that caused it, or empty."""
    fault: str = ""
    """The fault that caused the ending, or empty. If throttling ended it: the first throttle's, if all had a fault.

    If code failed in an invocation in which a call had a fault, it is that fault.
    """


def deliveries(events: Iterable[Event]) -> dict[int, list[Delivery]]:
    """Return the deliveries of each received message, in order."""
    found: dict[int, list[Delivery]] = {}
    held, struck = _HeldDeliveries(), dict[int, str]()
    for index, event in enumerate(events):
        match event:
            case Received():
                for message, count in zip(event.messages, event.receive_counts, strict=True):
                    delivery = Delivery(message, event.queue, event.mapping, index, count)
                    if event.lost:
                        _end(delivery, Ending.LOST, index, event.fault)
                    else:
                        held.take((event.mapping, event.poller, message), delivery)
                    found.setdefault(message, []).append(delivery)
            case Throttled() | ServiceFailed() | InvocationStarted() | Released() | FilteredOut():
                held.apply(event, index)
            case ServiceCalled():
                if event.fault:
                    struck.setdefault(event.invocation, event.fault)
            case InvocationEnded():
                for delivery in held.running.pop(event.invocation, ()):
                    ending = _ending(event, delivery.message)
                    by_call = "" if ending is Ending.PROCESSED else struck.get(event.invocation, "")
                    _end(delivery, ending, index, event.fault or by_call)
            case _:
                pass
    return found


@attrs.define
class _HeldDeliveries:
    """The deliveries that pollers and invocations hold.

    A batching window longer than the visibility timeout can bring a poller the same message twice.
    """

    waiting: dict[tuple[str, int, int], list[Delivery]] = attrs.field(
        factory=dict[tuple[str, int, int], list[Delivery]]
    )
    """Deliveries that pollers hold, by mapping, poller and message."""
    running: dict[int, list[Delivery]] = attrs.field(factory=dict[int, list[Delivery]])

    def take(self, key: tuple[str, int, int], delivery: Delivery) -> None:
        """Give a delivery to a poller."""
        before = self.waiting.get(key, [])
        self.waiting[key] = [*(other for other in before if other.ending is Ending.OPEN), delivery]

    def apply(self, event: Throttled | ServiceFailed | InvocationStarted | Released | FilteredOut, index: int) -> None:
        """Apply an event to the deliveries of its messages."""
        held = [self.waiting.get((event.mapping, event.poller, message), []) for message in event.messages]
        deliveries = [delivery for taken in held for delivery in taken if delivery.ending is Ending.OPEN]
        if isinstance(event, InvocationStarted):
            self.running[event.invocation] = deliveries
            for delivery in deliveries:
                delivery.started = index
            return
        for delivery in deliveries:
            _apply(event, index, delivery)


def _apply(
    event: Throttled | ServiceFailed | InvocationStarted | Released | FilteredOut, index: int, delivery: Delivery
) -> None:
    match event:
        case Throttled():
            delivery.throttles.append(index)
            delivery.throttled_by.append(event.fault)
        case ServiceFailed():
            _end(delivery, Ending.SERVICE_ERROR, index, event.fault)
        case FilteredOut():
            _end(delivery, Ending.FILTERED, index, "")
        case Released(why="restarted" | "no answer"):  # no answer to an invocation that never reached Lambda
            _end(delivery, Ending.LOST, index, event.fault)
        case Released(why="held back"):
            _end(delivery, Ending.HELD_BACK, index, "")
        case Released(why="throttled"):
            _end(delivery, Ending.THROTTLED, index, delivery.throttled_by[0] if all(delivery.throttled_by) else "")
        case InvocationStarted() | Released():
            pass


def _end(delivery: Delivery, ending: Ending, index: int, fault: str) -> None:
    delivery.ending, delivery.ended, delivery.fault = ending, index, fault


def _ending(event: InvocationEnded, message: int) -> Ending:
    if event.outcome != "succeeded":
        return Ending.FAILED
    return Ending.REPORTED if message in event.failed else Ending.PROCESSED


@attrs.frozen
class Fate:
    """The fate of a message that was dead-lettered."""

    moved: int
    """Index of the `DeadLettered` event."""
    event: DeadLettered
    deliveries: tuple[Delivery, ...]
    """Its deliveries from the queue that it was moved from, in the stay that the move ended."""

    @property
    def processed(self) -> bool:
        """True if an invocation succeeded on the message."""
        return any(delivery.ending is Ending.PROCESSED for delivery in self.deliveries)

    @property
    def throttled(self) -> tuple[Delivery, ...]:
        """The deliveries that throttling used up."""
        return tuple(delivery for delivery in self.deliveries if delivery.ending is Ending.THROTTLED)


def dead_lettered(events: tuple[Event, ...], by_message: Mapping[int, list[Delivery]] | None = None) -> list[Fate]:
    """Return the fate of each message that was dead-lettered, in the order of the moves.

    A message that comes back to a queue, by an operator's redrive or a loop of redrive policies, and is moved again has
    a fate for each stay: it has the deliveries since the move before.
    """
    known = deliveries(events) if by_message is None else by_message
    seen, fates = dict[int, int](), list[Fate]()
    for index, event in enumerate(events):
        if isinstance(event, DeadLettered):
            every = known.get(event.message, [])
            first = seen.get(event.message, 0)
            last = bisect_left(every, index, first, key=lambda delivery: delivery.received)
            seen[event.message] = last
            own = tuple(delivery for delivery in every[first:last] if delivery.queue == event.queue)
            fates.append(Fate(index, event, own))
    return fates


_WRITES = (
    "BatchWriteItem",
    "DeleteItem",
    "DeleteObject",
    "ExecuteStatement",
    "PutItem",
    "PutObject",
    "TransactWriteItems",
    "UpdateItem",
)


@attrs.frozen
class Work:
    """One thing that code did."""

    index: int
    """Index of its event."""
    what: str
    """Words for it: `dynamodb PutItem`, `a message to invoices`."""
    is_write: bool = False
    """True if it may be a mark of what is done: a write of DynamoDB or S3."""


def work_of(events: Sequence[Event], start: int) -> list[Work]:
    """Return the work of an invocation in its order, by the index of its start; calls that failed did nothing."""
    found: list[Work] = []
    for index in range(start, len(events)):
        match events[index]:
            case ServiceCalled(error="") as call if call.cause == start:
                is_write = call.operation in _WRITES
                if is_write or call.effects:
                    found.append(Work(index, call.what, is_write))
            case Sent(cause=cause, queue=queue) if cause == start:
                found.append(Work(index, f"a message to {queue}"))
            case Effect(cause=cause, name=name) if cause == start:
                found.append(Work(index, name))
            case _:
                pass
    return found


def before_the_mark(work: Sequence[Work]) -> tuple[str, ...]:
    """Return words for the work before the last write, which marks it as done; nothing without such a mark."""
    marks = [place for place, done in enumerate(work) if done.is_write]
    return tuple(done.what for done in work[: marks[-1]]) if marks else ()

"""The deliveries of each message: one for each receive, with what became of it.

What the metrics count and the invariants judge (processed, throttled, dead-lettered unprocessed …) is read off here,
so that both mean the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

import attrs

from chaosqs.model.event import DeadLettered, Event, InvocationEnded, Received, Released, Throttled


class Ending(StrEnum):
    """What became of one delivery."""

    OPEN = "open"
    """The run ended before it did."""
    PROCESSED = "processed"
    """The function succeeded on it."""
    REPORTED = "reported as failed"
    """The function succeeded, but named the message as failed (PB-*)."""
    FAILED = "failed"
    """The invocation raised, timed out or crashed."""
    THROTTLED = "throttled"
    """No invocation of its batch got an execution within the visibility timeout (ES-8, ES-9)."""
    SERVICE_ERROR = "service error"
    LOST = "lost"
    """The poller never saw the message (RX-8)."""


@attrs.define
class Delivery:
    """One receive of one message, and what became of it."""

    message: int
    queue: str
    mapping: str
    received: int
    """Place of the `Received` event."""
    receive_count: int
    ending: Ending = Ending.OPEN
    ended: int | None = None
    """Place of the event that ended it."""
    throttles: list[int] = attrs.field(factory=list[int])
    """Places of its `Throttled` events."""
    fault: str = ""
    """The fault that brought this ending about, or empty; for throttles: only if all of them were a fault's."""


def deliveries(events: Iterable[Event]) -> dict[int, list[Delivery]]:
    """Return the deliveries of each received message, in order."""
    found: dict[int, list[Delivery]] = {}
    by_receive: dict[tuple[int, int], Delivery] = {}
    receive_of: dict[int, int] = {}
    all_events = tuple(events)
    for place, event in enumerate(all_events):
        match event:
            case Received():
                for message, count in zip(event.messages, event.receive_counts, strict=True):
                    delivery = Delivery(message, event.queue, event.mapping, place, count)
                    if event.fault:
                        _end(delivery, Ending.LOST, place, event.fault)
                    found.setdefault(message, []).append(delivery)
                    by_receive[place, message] = delivery
                receive_of[place] = place
            case _ if event.cause in receive_of:
                receive = receive_of[place] = receive_of[event.cause]
                _apply(event, place, receive, by_receive, all_events)
            case _:
                pass
    return found


def _apply(
    event: Event, place: int, receive: int, by_receive: Mapping[tuple[int, int], Delivery], events: tuple[Event, ...]
) -> None:
    """Note what an event that goes back to a receive means for the deliveries of that receive."""
    match event:
        case Throttled():
            for delivery in _of(by_receive, receive, event.messages):
                delivery.throttles.append(place)
        case InvocationEnded():
            for delivery in _of(by_receive, receive, event.messages):
                _end(delivery, _ending(event, delivery.message), place, event.fault)
        case Released(why="throttled"):
            for delivery in _of(by_receive, receive, event.messages):
                faults = [getattr(events[throttle], "fault", "") for throttle in delivery.throttles]
                _end(delivery, Ending.THROTTLED, place, faults[0] if faults and all(faults) else "")
        case Released(why="service error"):
            fault: str = getattr(events[event.cause], "fault", "") if event.cause is not None else ""
            for delivery in _of(by_receive, receive, event.messages):
                _end(delivery, Ending.SERVICE_ERROR, place, fault)
        case _:
            pass


def _of(by_receive: Mapping[tuple[int, int], Delivery], receive: int, messages: tuple[int, ...]) -> list[Delivery]:
    return [by_receive[receive, message] for message in messages if (receive, message) in by_receive]


def _end(delivery: Delivery, ending: Ending, place: int, fault: str) -> None:
    delivery.ending, delivery.ended, delivery.fault = ending, place, fault


def _ending(event: InvocationEnded, message: int) -> Ending:
    if event.outcome != "succeeded":
        return Ending.FAILED
    return Ending.REPORTED if message in event.failed else Ending.PROCESSED


@attrs.frozen
class Fate:
    """What became of a message that was dead-lettered."""

    moved: int
    """Place of the `DeadLettered` event."""
    event: DeadLettered
    deliveries: tuple[Delivery, ...]
    """Its deliveries from the queue that it was moved from."""

    @property
    def processed(self) -> bool:
        """Whether some invocation had succeeded on it."""
        return any(delivery.ending is Ending.PROCESSED for delivery in self.deliveries)

    @property
    def throttled(self) -> tuple[Delivery, ...]:
        """The deliveries that throttling used up."""
        return tuple(delivery for delivery in self.deliveries if delivery.ending is Ending.THROTTLED)


def dead_lettered(events: tuple[Event, ...], by_message: Mapping[int, list[Delivery]] | None = None) -> list[Fate]:
    """Return the fate of each message that was dead-lettered, in the order of the moves."""
    known = deliveries(events) if by_message is None else by_message
    return [
        Fate(
            place, event, tuple(delivery for delivery in known.get(event.message, ()) if delivery.queue == event.queue)
        )
        for place, event in enumerate(events)
        if isinstance(event, DeadLettered)
    ]

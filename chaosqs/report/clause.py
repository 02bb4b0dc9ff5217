"""Clauses: events of one kind and one moment that are told together."""

from __future__ import annotations

from typing import TypeVar

import attrs

from chaosqs.model.event import (
    DeadLettered,
    Deleted,
    Effect,
    Event,
    Expired,
    FilteredOut,
    Held,
    InvocationEnded,
    InvocationStarted,
    Operated,
    PointPassed,
    PollersChanged,
    Reached,
    Received,
    ReceivedNothing,
    ReceiveFailed,
    Released,
    Returned,
    SendFailed,
    Sent,
    ServiceFailed,
    Throttled,
)
from chaosqs.report.slice import messages_of

_Kind = TypeVar("_Kind", bound=Event)


@attrs.frozen
class Clause:
    """Events that share a kind, with their places in the history."""

    places: tuple[int, ...]
    events: tuple[Event, ...]

    @property
    def messages(self) -> list[int]:
        """The messages of all of them, each once, in order of appearance."""
        return list(dict.fromkeys(message for event in self.events for message in messages_of(event)))

    def all(self, kind: type[_Kind]) -> list[_Kind]:
        """Return its events as what they are."""
        return [event for event in self.events if isinstance(event, kind)]


def kind_of(event: Event) -> tuple[str, ...]:
    """Return what two events must share to be told together."""
    return (type(event).__name__, *_shared(event))


def _shared(event: Event) -> tuple[str, ...]:  # noqa: C901, PLR0911, PLR0912 - one case a kind of event
    match event:
        case Sent():
            return event.queue, str(event.copy_of), event.fault
        case SendFailed():
            return event.queue, event.fault
        case Received():
            return event.mapping, event.fault, "again" if min(event.receive_counts, default=1) > 1 else ""
        case Throttled():
            return event.function, event.reason, str(event.limit), event.fault, "again" if event.attempt > 1 else ""
        case ServiceFailed():
            return event.function, event.fault
        case InvocationStarted():
            return event.function, event.fault
        case InvocationEnded():
            return event.function, event.outcome, str(bool(event.failed)), str(event.answered), event.fault
        case Released():
            return event.mapping, event.why, event.fault
        case Held():
            return event.mapping, str(event.until), event.fault
        case Deleted():
            return event.queue, str(bool(event.stayed)), event.fault
        case Returned():
            return event.queue, str(event.receive_count), event.fault
        case Expired():
            return event.queue, str(event.receive_count)
        case DeadLettered():
            return event.queue, event.target
        case Operated():
            return event.kind, event.target, event.setting, event.value
        case PointPassed():
            return event.function, event.site, event.fault
        case Effect():
            return event.function, event.name, str(event.values)
        case ReceivedNothing() | ReceiveFailed() | PollersChanged() | FilteredOut():
            return (event.mapping,)
        case Reached():
            return (event.mark,)

"""Clauses: events of one kind and one moment that are told together."""

from __future__ import annotations

from typing import TypeVar

import attrs

from chaosqs.model.event import (
    DeadLettered,
    Deleted,
    Event,
    Expired,
    FilteredOut,
    InvocationEnded,
    InvocationStarted,
    PollersChanged,
    Received,
    ReceivedNothing,
    Released,
    Returned,
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


def _shared(event: Event) -> tuple[str, ...]:  # noqa: C901, PLR0911 - one case a kind of event
    match event:
        case Sent():
            return (event.queue,)
        case Received():
            return event.mapping, event.fault, "again" if min(event.receive_counts, default=1) > 1 else ""
        case Throttled():
            return event.function, event.reason, str(event.limit), event.fault, "again" if event.attempt > 1 else ""
        case ServiceFailed():
            return event.function, event.fault
        case InvocationStarted():
            return (event.function,)
        case InvocationEnded():
            return event.function, event.outcome, str(bool(event.failed)), str(event.answered), event.fault
        case Released():
            return event.mapping, event.why
        case Deleted():
            return event.queue, str(bool(event.stayed)), event.fault
        case Returned() | Expired():
            return event.queue, str(event.receive_count)
        case DeadLettered():
            return event.queue, event.target
        case ReceivedNothing() | PollersChanged() | FilteredOut():
            return (event.mapping,)

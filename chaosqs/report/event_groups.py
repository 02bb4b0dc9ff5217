"""Clauses: events of one kind and one moment that are told together."""

from collections.abc import Iterable
from typing import TypeVar

import attrs

from chaosqs.model.causal_slice import Slice, messages_of
from chaosqs.model.events import (
    Deleted,
    Effect,
    Event,
    Expired,
    Held,
    InvocationEnded,
    InvocationStarted,
    Operated,
    PollersChanged,
    Received,
    Released,
    Returned,
    Sent,
    ServiceFailed,
    Throttled,
)

# One step of a timeline. ---------------------------------------------------------------------------------------------


@attrs.frozen
class Step:
    """What happened at one moment, in English; without a moment, a remark on what is left out."""

    at: int | None
    """Milliseconds since the start of the run."""
    text: str

    @property
    def time(self) -> str:
        """Its moment as stories print it; empty without one."""
        return "" if self.at is None else time_text(self.at)


def time_text(at: int) -> str:
    """Return a moment in milliseconds as stories print it, in tenths of a second: `30.0 s`."""
    return f"{at / 1000:,.1f} s"


# ---------------------------------------------------------------------------------------------------------------------

_Kind = TypeVar("_Kind", bound=Event)


@attrs.frozen
class EventGroup:
    """Events that share a kind, with their places in the history."""

    indexes: tuple[int, ...]
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


def _shared(event: Event) -> tuple[str, ...]:  # noqa: C901, PLR0911, PLR0912 - one case a kind of event that shares more or less than its texts
    match event:
        case Sent():
            return event.queue, str(event.copy_of), event.fault
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
        case Operated():
            return event.kind, event.target, event.setting, event.value
        case Effect():
            return event.function, event.name, str(event.values)
        case PollersChanged():
            return (event.mapping,)
        case _:
            return _texts(event)


def _texts(event: Event) -> tuple[str, ...]:
    """Return the text fields of an event."""
    values: list[object] = [getattr(event, field.name) for field in attrs.fields(type(event))]
    return tuple(value for value in values if isinstance(value, str))


# Events that are near in time, as moments: each a few clauses, each clause all events of one kind. -------------------

_GAP = 200
_SPAN = 500


@attrs.define
class EventMoment:
    """Events that a story tells as one step."""

    at: int
    last: int
    groups: dict[tuple[str, ...], list[int]] = attrs.field(factory=dict[tuple[str, ...], list[int]])
    """Places of the events of each kind, in order of appearance."""

    def takes(self, event: Event, told: Iterable[int]) -> bool:
        """Tell whether an event is near enough, and no message would go through the same thing twice."""
        near = event.at - self.last <= _GAP and event.at - self.at <= _SPAN
        return near and not any(message in told for message in messages_of(event))


def event_moments(story: Slice, indexes: Iterable[int]) -> list[tuple[int, list[EventGroup]]]:
    """Return the moments of some events of a slice: when each began, and what happened in it."""
    found: list[EventMoment] = []
    for index in indexes:
        event = story.event(index)
        kind = kind_of(event)
        if not found or not found[-1].takes(event, _messages(story, found[-1].groups.get(kind, ()))):
            found.append(EventMoment(event.at, event.at))
        found[-1].last = event.at
        found[-1].groups.setdefault(kind, []).append(index)
    return [(moment.at, [_words(story, indexes) for indexes in moment.groups.values()]) for moment in found]


def _messages(story: Slice, indexes: Iterable[int]) -> list[int]:
    return [message for index in indexes for message in messages_of(story.event(index))]


def _words(story: Slice, indexes: list[int]) -> EventGroup:
    return EventGroup(tuple(indexes), tuple(story.event(index) for index in indexes))

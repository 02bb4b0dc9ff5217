"""Groups events of one kind and one moment, which a story describes together."""

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

# Steps of a timeline -------------------------------------------------------------------------------------------------


@attrs.frozen
class Step:
    """The events of one moment as text, or a remark about omitted steps."""

    at: int | None
    """Milliseconds since the start of the run; None for a remark."""
    text: str

    @property
    def time(self) -> str:
        """The moment as stories print it; empty for a remark."""
        return "" if self.at is None else time_text(self.at)


def time_text(at: int) -> str:
    """Return a moment in milliseconds as stories print it, in tenths of a second: `30.0 s`."""
    return f"{at / 1000:,.1f} s"


# Groups --------------------------------------------------------------------------------------------------------------

_Kind = TypeVar("_Kind", bound=Event)


@attrs.frozen
class EventGroup:
    """Events of one kind, with their indexes in the history."""

    indexes: tuple[int, ...]
    events: tuple[Event, ...]

    @property
    def messages(self) -> list[int]:
        """The messages of all events, each once, in order of appearance."""
        return list(dict.fromkeys(message for event in self.events for message in messages_of(event)))

    def all(self, kind: type[_Kind]) -> list[_Kind]:
        """Return the events of a type."""
        return [event for event in self.events if isinstance(event, kind)]


def kind_of(event: Event) -> tuple[str, ...]:
    """Return the key of an event's group; events with the same key are described together."""
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


# Moments: events that are near in time, as one group for each kind ---------------------------------------------------

_MAX_GAP = 200  # maximum milliseconds between two successive events of one moment
_MAX_SPAN = 500  # maximum milliseconds between the first and last event of one moment


@attrs.define
class EventMoment:
    """Events that a story describes in one step."""

    at: int
    """Time of the first event, in milliseconds."""
    last: int
    """Time of the last event so far, in milliseconds."""
    groups: dict[tuple[str, ...], list[int]] = attrs.field(factory=dict[tuple[str, ...], list[int]])
    """Indexes of the events of each kind, in order of appearance."""

    def takes(self, event: Event, known: Iterable[int]) -> bool:
        """Return True if an event is near enough and none of its messages is `known` in the group of its kind."""
        near = event.at - self.last <= _MAX_GAP and event.at - self.at <= _MAX_SPAN
        return near and not any(message in known for message in messages_of(event))


def event_moments(story: Slice, indexes: Iterable[int]) -> list[tuple[int, list[EventGroup]]]:
    """Return the moments of some events of a slice: the time of the first event, and the groups."""
    found: list[EventMoment] = []
    for index in indexes:
        event = story.event(index)
        kind = kind_of(event)
        if not found or not found[-1].takes(event, _messages(story, found[-1].groups.get(kind, ()))):
            found.append(EventMoment(event.at, event.at))
        found[-1].last = event.at
        found[-1].groups.setdefault(kind, []).append(index)
    return [(moment.at, [_group(story, indexes) for indexes in moment.groups.values()]) for moment in found]


def _messages(story: Slice, indexes: Iterable[int]) -> list[int]:
    return [message for index in indexes for message in messages_of(story.event(index))]


def _group(story: Slice, indexes: list[int]) -> EventGroup:
    return EventGroup(tuple(indexes), tuple(story.event(index) for index in indexes))

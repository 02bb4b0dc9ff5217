"""Describes the events of one moment in plain English: one clause for each group of events."""

from collections.abc import Iterable, Iterator, Sequence

import attrs

from chaosqs.model.causal_slice import Slice, messages_of
from chaosqs.model.delivery import Delivery
from chaosqs.model.events import Event, InvocationEnded, InvocationStarted, Throttled
from chaosqs.report.descriptions import DESCRIPTIONS, EventGroup, GroupView
from chaosqs.report.text import Wording, time_text, verb

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


# Moments: events that are near in time, as one group for each kind ---------------------------------------------------

_MAX_GAP = 200  # maximum milliseconds between two successive events of one moment
_MAX_SPAN = 500  # maximum milliseconds between the first and last event of one moment


def kind_of(event: Event) -> tuple[object, ...]:
    """Return the key of an event's group; events with the same key are described together."""
    return (type(event), *DESCRIPTIONS[type(event)].shared(event))


@attrs.define
class EventMoment:
    """Events that a story describes in one step."""

    at: int
    """Time of the first event, in milliseconds."""
    last: int
    """Time of the last event so far, in milliseconds."""
    groups: dict[tuple[object, ...], list[int]] = attrs.field(factory=dict[tuple[object, ...], list[int]])
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


def with_news(story: Slice, indexes: Iterable[int]) -> list[int]:
    """Return event indexes without throttled retries of other messages, or with the same messages running as before."""
    kept: list[int] = []
    last: dict[tuple[int, ...], tuple[int, ...]] = {}
    for index in indexes:
        event = story.event(index)
        if isinstance(event, Throttled):
            running = story.running(index)
            known = event.attempt > 1 and last.get(event.messages) == running
            last[event.messages] = running
            if known or (event.attempt > 1 and not story.concerns(index)):
                continue
        kept.append(index)
    return kept


def waiting_text(story: Slice, groups: Sequence[EventGroup], wording: Wording) -> str:
    """If executions become free, describe the messages concerned whose retries are not due yet; else return ""."""
    freed = [index for group in groups if group.all(InvocationEnded) for index in group.indexes]
    present = [message for group in groups for message in group.messages]
    absent = [message for message in story.focus if message not in present] if freed else []
    waiting = [(message, due) for message in absent for due in _next_tries(story, message, freed[0])]
    if not waiting:
        return ""
    messages, dues = [message for message, _ in waiting], list(dict.fromkeys(due for _, due in waiting))
    words = f"{wording.of(messages)} {verb(messages, 'wait')} for {'its' if len(messages) == 1 else 'their'} next "
    due = dues[0] if len(dues) == 1 else None
    return words + ("retry" if due is None else f"retry at {time_text(due)}")


def _next_tries(story: Slice, message: int, index: int) -> Iterator[int | None]:
    """Yield the next try of each batch that was throttled before an index and is still held at it; None: no try."""
    for delivery in story.history.deliveries.get(message, []):
        tries = [index for index in story.indexes if _is_try(story, index, delivery)]
        before, after = [p for p in tries if p < index], [p for p in tries if p > index]
        over = delivery.ended is not None and delivery.ended < index
        if before and isinstance(story.event(before[-1]), Throttled) and not over:
            yield story.event(after[0]).at if after else None


def _is_try(story: Slice, index: int, delivery: Delivery) -> bool:
    event = story.event(index)
    return event.cause == delivery.received and isinstance(event, Throttled | InvocationStarted)


_SHOW_TIME_AFTER = 500  # milliseconds after the start of a step from which on a clause has its own time


def said(story: Slice, groups: Sequence[EventGroup], *, summed: bool) -> str:
    """Return the clauses of one moment as one text; `summed`: retries are described with the first throttle."""
    wording = Wording(story.history.scenario)
    parts: list[str] = []
    for group in groups:
        words = DESCRIPTIONS[type(group.events[0])].words(GroupView(group, groups, story, wording, summed))
        parts.append(words + _when(group, groups[0]))
    if not summed:
        parts.append(waiting_text(story, groups, wording))
    return "; ".join(part for part in parts if part)


def _when(group: EventGroup, first: EventGroup) -> str:
    """Return the time of a group that begins later than its step, else ""."""
    at = group.events[0].at
    return f" at {time_text(at)}" if at - first.events[0].at > _SHOW_TIME_AFTER else ""

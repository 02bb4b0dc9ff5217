"""Events that are near in time, as moments: each a few clauses, each clause all events of one kind."""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from chaosqs.model.event import Event
from chaosqs.report.clause import Clause, kind_of
from chaosqs.report.slice import Slice, messages_of

_GAP = 200
_SPAN = 500


@attrs.define
class Moment:
    """Events that a story tells as one step."""

    at: int
    last: int
    groups: dict[tuple[str, ...], list[int]] = attrs.field(factory=dict[tuple[str, ...], list[int]])
    """Places of the events of each kind, in order of appearance."""

    def takes(self, event: Event, told: Iterable[int]) -> bool:
        """Tell whether an event is near enough, and no message would go through the same thing twice."""
        near = event.at - self.last <= _GAP and event.at - self.at <= _SPAN
        return near and not any(message in told for message in messages_of(event))


def moments(story: Slice, places: Iterable[int]) -> list[tuple[int, list[Clause]]]:
    """Return the moments of some events of a slice: when each began, and what happened in it."""
    found: list[Moment] = []
    for place in places:
        event = story.event(place)
        kind = kind_of(event)
        if not found or not found[-1].takes(event, _messages(story, found[-1].groups.get(kind, ()))):
            found.append(Moment(event.at, event.at))
        found[-1].last = event.at
        found[-1].groups.setdefault(kind, []).append(place)
    return [(moment.at, [_clause(story, places) for places in moment.groups.values()]) for moment in found]


def _messages(story: Slice, places: Iterable[int]) -> list[int]:
    return [message for place in places for message in messages_of(story.event(place))]


def _clause(story: Slice, places: list[int]) -> Clause:
    return Clause(tuple(places), tuple(story.event(place) for place in places))

"""The causal slice of a history: only the events that led to a violation.

These are the events of the messages concerned, the events that the invariant blames, the invocations that occupied the
executions when one of these messages was throttled, and the causes of all of these.
"""

from collections.abc import Iterable, Iterator, Sequence

import attrs

from chaosqs.model.design import Design
from chaosqs.model.events import (
    Effect,
    Event,
    InvocationEnded,
    InvocationStarted,
    Operated,
    PointPassed,
    ServiceCalled,
    Throttled,
)
from chaosqs.model.history import History
from chaosqs.model.verdict import Violation


@attrs.frozen
class Slice:
    """The part of a history that led to a violation. Events are given by their index in the history."""

    history: History
    violation: Violation
    focus: tuple[int, ...]
    """The messages that the violation is about, by number."""
    indexes: tuple[int, ...]
    """Indexes of the events that led to it, in order."""
    occupiers: dict[int, tuple[int, ...]]
    """For each throttle of these messages, the starts of the invocations that occupied the executions."""

    @property
    def end(self) -> int:
        """Index of the last event of the slice; -1 if it is empty."""
        return self.indexes[-1] if self.indexes else -1

    def event(self, index: int) -> Event:
        """Return the event with an index."""
        return self.history.events[index]

    def concerns(self, index: int) -> bool:
        """Return True if an event is about one of the messages of the violation, or blamed for it."""
        return index in self.violation.events or any(m in self.focus for m in messages_of(self.event(index)))

    def without_retries(self, indexes: Iterable[int]) -> list[int]:
        """Return indexes without the throttled retries: the first throttle of a batch represents them."""
        return [index for index in indexes if not (isinstance(e := self.event(index), Throttled) and e.attempt > 1)]

    def running(self, throttle: int) -> tuple[int, ...]:
        """Return the messages that occupied the executions when a message was throttled."""
        return tuple(m for index in self.occupiers.get(throttle, ()) for m in messages_of(self.event(index)))


def messages_of(event: Event) -> tuple[int, ...]:
    """Return the messages that an event is about."""
    one: int | None = getattr(event, "message", None)
    several: tuple[int, ...] = getattr(event, "messages", ())
    return several if one is None else (one,)


def causal_slice(history: History, violation: Violation) -> Slice:
    """Return the part of a history that led to a violation."""
    events = history.events
    last = _last(events, violation)
    blamed = [index for index in violation.events if 0 <= index <= last]
    focus = violation.messages or tuple(dict.fromkeys(m for index in blamed for m in messages_of(events[index])))
    own = [*blamed, *_about(events, focus, last)]
    occupiers = _occupiers(history.scenario.design, events, own)
    started = dict.fromkeys(index for indexes in occupiers.values() for index in indexes)
    beside = [*_ends(events, started, last), *_held_up(events, started, last), *_operated(events, last)]
    indexes = _closed(events, [*own, *started, *beside])
    return Slice(history, violation, focus, tuple(sorted([*indexes, *_within(events, indexes, last)])), occupiers)


def _last(events: Sequence[Event], violation: Violation) -> int:
    """Return the index of the last event to blame; if none is to blame, the last event up to the violation's time."""
    if violation.events and 0 <= violation.events[-1] < len(events):
        return violation.events[-1]
    return max((index for index, event in enumerate(events) if event.at <= violation.at), default=-1)


def _about(events: Sequence[Event], focus: Iterable[int], last: int) -> Iterator[int]:
    wanted = dict.fromkeys(focus)
    for index in range(last + 1):
        if any(message in wanted for message in messages_of(events[index])):
            yield index


def _occupiers(design: Design, events: Sequence[Event], own: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Return, for each throttle among the `own` events, the starts of the invocations that occupied its executions."""
    wanted, running, found = dict.fromkeys(own), dict[int, int](), dict[int, tuple[int, ...]]()
    for index in range(max(own, default=-1) + 1):
        match events[index]:
            case InvocationStarted(invocation=invocation):
                running[invocation] = index
            case InvocationEnded(invocation=invocation):
                running.pop(invocation, None)
            case Throttled() as throttle if index in wanted:
                found[index] = tuple(start for start in running.values() if _keeps_out(design, events[start], throttle))
            case _:
                pass
    return found


def _keeps_out(design: Design, started: Event, throttle: Throttled) -> bool:
    """Return True if a running invocation has an execution that the throttled one could have had (LC-3)."""
    if not isinstance(started, InvocationStarted) or throttle.fault:
        return False
    match throttle.reason:
        case "ReservedFunctionConcurrentInvocationLimitExceeded":
            return started.function == throttle.function
        case "ConcurrentInvocationLimitExceeded":
            return design.function(started.function).reserved_concurrency is None
        case _:
            return False


def _ends(events: Sequence[Event], started: Iterable[int], last: int) -> Iterator[int]:
    wanted = {
        event.invocation: True for event in (events[index] for index in started) if isinstance(event, InvocationStarted)
    }
    for index in range(last + 1):
        event = events[index]
        if isinstance(event, InvocationEnded) and event.invocation in wanted:
            yield index


def _held_up(events: Sequence[Event], started: Iterable[int], last: int) -> Iterator[int]:
    """Yield the throttles that delayed the occupiers: they explain why these ran at that time."""
    receives = dict.fromkeys(events[index].cause for index in started)
    for index in range(last + 1):
        event = events[index]
        if isinstance(event, Throttled) and event.cause is not None and event.cause in receives:
            yield index


def _operated(events: Sequence[Event], last: int) -> Iterator[int]:
    """Yield the actions of operators up to the violation."""
    for index in range(last + 1):
        if isinstance(events[index], Operated):
            yield index


def _within(events: Sequence[Event], known: dict[int, bool], last: int) -> Iterator[int]:
    """Yield the effects that the handlers of known invocations recorded, and the faults injected in their code."""
    for index in range(last + 1):
        event = events[index]
        recorded = isinstance(event, Effect) or (isinstance(event, PointPassed | ServiceCalled) and event.fault)
        if recorded and index not in known and event.cause in known:
            yield index


def _closed(events: Sequence[Event], indexes: Iterable[int]) -> dict[int, bool]:
    """Return the indexes and those of all their causes."""
    found: dict[int, bool] = {}
    waiting = list(indexes)
    while waiting:
        index = waiting.pop()
        if index not in found:
            found[index] = True
            cause = events[index].cause
            if cause is not None:
                waiting.append(cause)
    return found

"""Where a fault can strike in a run: each call of which the record tells, and the messages by which a plan can mean it.

A plan names a message and its n-th receive; the simulator asks it once for a call, with all messages that the call is
about (`faults/injector.py`). So the calls of a run are all the places at which one fault more can change it: a plan
is asked about nothing else. Where the record leaves open by which message a call is meant, each stands for a call.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TypeAlias, TypeVar

import attrs

from chaosqs.model.event import (
    DeadLettered,
    Deleted,
    Event,
    Held,
    InvocationEnded,
    InvocationStarted,
    PointPassed,
    Received,
    SendFailed,
    Sent,
    ServiceFailed,
    Throttled,
)
from chaosqs.model.faults import FAULT_POINT, KINDS, OK, FaultPlan
from chaosqs.model.history import History
from chaosqs.model.workload import arrivals

# One fault more in a plan: by which message and receive it strikes a call, and what a plan says there already. -------

Cell: TypeAlias = tuple[int, int]
"""A message by its number, and which of its receives, from 1; 0: its send."""

_Item = TypeVar("_Item")


@attrs.frozen
class Call:
    """One call of a run that a fault can strike."""

    kinds: tuple[str, ...]
    """The outcomes that can strike it: those of its injection point."""
    cells: tuple[Cell, ...]
    """With any of these for its key, an outcome strikes this very call, and does the same there."""
    since: int
    until: int
    """The plan is asked around the event at one of these places of the history, or at one between them."""

    def free(self, plan: FaultPlan) -> list[Cell]:
        """Return the cells by which one fault more can strike; none where one of these kinds is meant to already.

        Of two outcomes for one call the first message's decides, and the other does nothing.
        """
        taken = [outcome_at(plan, cell) for cell in self.cells]
        if any(outcome in self.kinds for outcome in taken):
            return []
        return [cell for cell, outcome in zip(self.cells, taken, strict=True) if outcome == OK]


def outcome_at(plan: FaultPlan, cell: Cell) -> str:
    """Return the outcome that a plan has for a cell, or `ok`."""
    message, receive = cell
    outcomes = _at(plan.messages, message, ()) if receive else plan.sends
    return _at(outcomes, receive - 1 if receive else message, OK)


def with_fault(plan: FaultPlan, cell: Cell, kind: str) -> FaultPlan:
    """Return a plan with one outcome more."""
    message, receive = cell
    if not receive:
        return attrs.evolve(plan, sends=_with(plan.sends, message, kind, OK))
    receives = _with(_at(plan.messages, message, ()), receive - 1, kind, OK)
    return attrs.evolve(plan, messages=_with(plan.messages, message, receives, ()))


def _at(items: Sequence[_Item], index: int, missing: _Item) -> _Item:
    return items[index] if index < len(items) else missing


def _with(items: Sequence[_Item], index: int, item: _Item, missing: _Item) -> tuple[_Item, ...]:
    longer = (*items, *[missing] * (index + 1 - len(items)))
    return (*longer[:index], item, *longer[index + 1 :])


# ---------------------------------------------------------------------------------------------------------------------


def calls(history: History) -> tuple[Call, ...]:
    """Return the calls of a run that the keys of a plan can mean, each of them once."""
    return tuple(dict.fromkeys(_Record(history).calls()))


@attrs.frozen
class _About:
    """Whom a call is about."""

    groups: tuple[tuple[Cell, ...], ...]
    """Cells of one group surely mean the same calls; of two groups that is not known."""
    fifo: bool

    def calls(self, injection_point: str, since: int, until: int) -> Iterator[Call]:
        """Yield the calls of an injection point between two places of the record."""
        kinds = _kinds(injection_point, fifo=self.fifo)
        yield from (Call(kinds, cells, since, until) for cells in self.groups if cells)


def _kinds(injection_point: str, *, fifo: bool) -> tuple[str, ...]:
    kinds = [
        kind
        for kind in KINDS
        if kind.keyed and kind.injection_point == injection_point and not (fifo and kind.standard_only)
    ]
    return tuple(kind.name for kind in kinds)


def _count(event: Received, message: int) -> int:
    """Return the receive count that a receive gave a message."""
    return event.receive_counts[event.messages.index(message)]


@attrs.frozen
class _Batch:
    """A batch in a poller's hand, as all events of it name it."""

    mapping: str
    poller: int
    received: int
    """Place of the receive that completed it."""
    messages: tuple[int, ...]


@attrs.define(eq=False, slots=False)
class _Record:
    """What one history tells about who was asked for whom."""

    history: History

    def calls(self) -> Iterator[Call]:
        """Yield the calls."""
        yield from self._sends()
        yield from self._polls()
        for batch, indexes in self._batches().items():
            about = self._about(batch, indexes[-1])
            yield from about.calls("hold", batch.received, indexes[-1])
            yield from about.calls("invoke", indexes[0], indexes[-1])
            for index in indexes:
                yield from self._of_invocation(index, about)

    def _sends(self) -> Iterator[Call]:
        """Yield the first send of each message of the workload: sent again, only a window strikes it."""
        planned, met = len(arrivals(self.history.scenario.workload)), dict[int, None]()
        for index, event in enumerate(self.history.events):
            if isinstance(event, Sent | SendFailed) and event.message < planned and event.message not in met:
                met[event.message] = None
                yield from _About((((event.message, 0),),), fifo=False).calls("send", index, index)

    def _polls(self) -> Iterator[Call]:
        """Yield each receive before it is answered, and its answer.

        The message that is first in line decides about the former. The record does not say which one that is; it may
        be one that is over its max_receive_count, and moved instead.
        """
        for index, event in self.history.each(Received):
            cells, fifo = tuple(zip(event.messages, event.receive_counts, strict=True)), self._is_fifo(event.queue)
            yield from _About(tuple((cell,) for cell in cells), fifo).calls("poll", index, index)
            yield from _About((cells,), fifo).calls("receive", index, index)
        for index, moved in self.history.each(DeadLettered):
            cell = moved.message, moved.receive_count + 1
            yield from _About(((cell,),), self._is_fifo(moved.queue)).calls("poll", index, index)

    def _is_fifo(self, queue: str) -> bool:
        return self.history.scenario.design.queue(queue).fifo

    # Batches

    def _batches(self) -> dict[_Batch, list[int]]:
        """Return where the record tells of each batch while a poller has it in its hand."""
        events, found = self.history.events, dict[_Batch, list[int]]()
        for index, event in enumerate(events):
            if not isinstance(event, Throttled | InvocationStarted | ServiceFailed | Held) or event.cause is None:
                continue
            if isinstance(events[event.cause], Received):
                batch = _Batch(event.mapping, event.poller, event.cause, event.messages)
                found.setdefault(batch, []).append(index)
        return found

    def _about(self, batch: _Batch, last: int) -> _About:
        """Return by which cells a batch can be meant: its poller's receives of its messages count.

        Where one was received again before `last`, the record does not tell which receive counts.
        """
        choices = [(message, self._counts(batch, message, last)) for message in batch.messages]
        cells = tuple((message, count) for message, counts in choices for count in counts)
        sure = len(cells) == len(batch.messages)
        received = self.history.events[batch.received]
        assert isinstance(received, Received)
        return _About((cells,) if sure else tuple((cell,) for cell in cells), self._is_fifo(received.queue))

    def _counts(self, batch: _Batch, message: int, last: int) -> list[int]:
        """Return the receive counts of a message from the poller's own receive of it up to a place."""
        receives = self._receives[message]
        by = batch.mapping, batch.poller
        own = [index for index, event in receives if index <= batch.received and (event.mapping, event.poller) == by]
        first = max(own, default=0)
        inside = [event for index, event in receives if first <= index <= last]
        return [_count(event, message) for event in inside]

    @cached_property
    def _receives(self) -> dict[int, list[tuple[int, Received]]]:
        """The receives of each message, with their places."""
        found: dict[int, list[tuple[int, Received]]] = {}
        for index, event in self.history.each(Received):
            for message in event.messages:
                found.setdefault(message, []).append((index, event))
        return found

    # Invocations

    def _of_invocation(self, index: int, about: _About) -> Iterator[Call]:
        """Yield the handler of an invocation, the sites in its code, its answer and its delete."""
        if not isinstance(self.history.events[index], InvocationStarted):
            return
        yield from about.calls("handler", index, index)
        for later, event in self._effects.get(index, ()):
            if isinstance(event, PointPassed):  # about one message or all: the record does not say
                each = [(cell,) for cells in about.groups for cell in cells]
                yield from (Call((f"{FAULT_POINT}:{event.point}",), cells, later, later) for cells in each)
            elif isinstance(event, InvocationEnded):
                yield from about.calls("response", later, later)
                yield from self._delete(later, about)

    def _delete(self, ended: int, about: _About) -> Iterator[Call]:
        """Yield the delete after an answer; its repeat only a window strikes.

        It is about each message as it is by then: where that was received again meanwhile, about its latest receive.
        """
        for index, event in self._effects.get(ended, ()):
            if isinstance(event, Deleted):
                cells = tuple((message, self._latest(message, index)) for message in event.messages)
                yield from attrs.evolve(about, groups=(cells,)).calls("delete", index, index)
                return

    def _latest(self, message: int, index: int) -> int:
        """Return how often a message had been received by a place of the record."""
        receives = [event for at, event in self._receives[message] if at < index]
        return _count(receives[-1], message)

    @cached_property
    def _effects(self) -> dict[int, list[tuple[int, Event]]]:
        """The events that each one has caused, with their places."""
        found: dict[int, list[tuple[int, Event]]] = {}
        for index, event in enumerate(self.history.events):
            if event.cause is not None:
                found.setdefault(event.cause, []).append((index, event))
        return found

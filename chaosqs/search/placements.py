"""The places of a run at which a fault can be injected: the calls in its history, and the plan keys that address them.

A plan key is a message and its n-th receive. The simulator asks the plan once per call, with all messages that the call
is about (`faults/injector.py`). The calls of a run are therefore all places at which one more fault can change it. If
the history does not show which key addresses a call, each possible key is listed as a call of its own.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TypeAlias, TypeVar

import attrs

from chaosqs.model.events import (
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

# Adding one fault to a plan ------------------------------------------------------------------------------------------

Cell: TypeAlias = tuple[int, int]
"""A key of a plan: the number of a message, and of its receive, from 1; 0: its send."""

_Item = TypeVar("_Item")


@attrs.frozen
class Call:
    """One call of a run into which a fault can be injected."""

    kinds: tuple[str, ...]
    """Outcomes that can be injected into the call: those of its injection point."""
    cells: tuple[Cell, ...]
    """Keys that address this call. An outcome has the same effect under each of them."""
    since: int
    until: int
    """First and last index of the events around which the plan is asked about the call."""

    def free(self, plan: FaultPlan) -> list[Cell]:
        """Return the cells at which one more fault can be injected; none if the plan has one of these kinds anywhere.

        If a plan has two outcomes for one call, the first message's decides, and the other has no effect.
        """
        taken = [outcome_at(plan, cell) for cell in self.cells]
        if any(outcome in self.kinds for outcome in taken):
            return []
        return [cell for cell, outcome in zip(self.cells, taken, strict=True) if outcome == OK]


def outcome_at(plan: FaultPlan, cell: Cell) -> str:
    """Return the outcome of a cell in a plan; `ok` if it has none."""
    message, receive = cell
    outcomes = _at(plan.messages, message, ()) if receive else plan.sends
    return _at(outcomes, receive - 1 if receive else message, OK)


def with_fault(plan: FaultPlan, cell: Cell, kind: str) -> FaultPlan:
    """Return a plan with one more outcome."""
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


# Finding the calls of a run ------------------------------------------------------------------------------------------


def calls(history: History) -> tuple[Call, ...]:
    """Return the calls of a run that plan keys can address, each once."""
    return tuple(dict.fromkeys(_CallFinder(history).calls()))


@attrs.frozen
class _Keys:
    """The cells that can address a call."""

    groups: tuple[tuple[Cell, ...], ...]
    """Cells of one group surely address the same calls; cells of two groups perhaps different ones."""
    fifo: bool

    def calls(self, injection_point: str, since: int, until: int) -> Iterator[Call]:
        """Yield the calls of an injection point between two event indexes."""
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
    """A batch that a poller holds, with the values that all of its events share."""

    mapping: str
    poller: int
    received: int
    """Index of the receive that completed the batch."""
    messages: tuple[int, ...]


@attrs.define(eq=False, slots=False)
class _CallFinder:
    """Finds the calls of one history, and the cells that address them."""

    history: History

    def calls(self) -> Iterator[Call]:
        """Yield all calls; some may be equal."""
        yield from self._sends()
        yield from self._polls()
        for batch, indexes in self._batches().items():
            keys = self._keys(batch, indexes[-1])
            yield from keys.calls("hold", batch.received, indexes[-1])
            yield from keys.calls("invoke", indexes[0], indexes[-1])
            for index in indexes:
                yield from self._of_invocation(index, keys)

    def _sends(self) -> Iterator[Call]:
        """Yield the first send of each message of the workload; only a window applies to a resend."""
        planned, met = len(arrivals(self.history.scenario.workload)), dict[int, None]()
        for index, event in enumerate(self.history.events):
            if isinstance(event, Sent | SendFailed) and event.message < planned and event.message not in met:
                met[event.message] = None
                yield from _Keys((((event.message, 0),),), fifo=False).calls("send", index, index)

    def _polls(self) -> Iterator[Call]:
        """Yield each receive before it is answered, and its answer.

        Before the answer, the first message in the queue decides. The history does not show which message that is; it
        may be one that is over its max_receive_count, and moved instead.
        """
        for index, event in self.history.each(Received):
            cells, fifo = tuple(zip(event.messages, event.receive_counts, strict=True)), self._is_fifo(event.queue)
            yield from _Keys(tuple((cell,) for cell in cells), fifo).calls("poll", index, index)
            yield from _Keys((cells,), fifo).calls("receive", index, index)
        for index, moved in self.history.each(DeadLettered):
            cell = moved.message, moved.receive_count + 1
            yield from _Keys(((cell,),), self._is_fifo(moved.queue)).calls("poll", index, index)

    def _is_fifo(self, queue: str) -> bool:
        return self.history.scenario.design.queue(queue).fifo

    # Batches

    def _batches(self) -> dict[_Batch, list[int]]:
        """Return the indexes of the events of each batch while a poller holds it."""
        events, found = self.history.events, dict[_Batch, list[int]]()
        for index, event in enumerate(events):
            if not isinstance(event, Throttled | InvocationStarted | ServiceFailed | Held) or event.cause is None:
                continue
            if isinstance(events[event.cause], Received):
                batch = _Batch(event.mapping, event.poller, event.cause, event.messages)
                found.setdefault(batch, []).append(index)
        return found

    def _keys(self, batch: _Batch, last: int) -> _Keys:
        """Return the cells that can address a batch: its poller's receives of its messages.

        If a message was received again before `last`, the history does not show which receive counts.
        """
        choices = [(message, self._counts(batch, message, last)) for message in batch.messages]
        cells = tuple((message, count) for message, counts in choices for count in counts)
        sure = len(cells) == len(batch.messages)
        received = self.history.events[batch.received]
        assert isinstance(received, Received)
        return _Keys((cells,) if sure else tuple((cell,) for cell in cells), self._is_fifo(received.queue))

    def _counts(self, batch: _Batch, message: int, last: int) -> list[int]:
        """Return the receive counts of a message from the poller's own receive of it up to an event index."""
        receives = self._receives[message]
        by = batch.mapping, batch.poller
        own = [index for index, event in receives if index <= batch.received and (event.mapping, event.poller) == by]
        first = max(own, default=0)
        inside = [event for index, event in receives if first <= index <= last]
        return [_count(event, message) for event in inside]

    @cached_property
    def _receives(self) -> dict[int, list[tuple[int, Received]]]:
        """The receives of each message, with their event indexes."""
        found: dict[int, list[tuple[int, Received]]] = {}
        for index, event in self.history.each(Received):
            for message in event.messages:
                found.setdefault(message, []).append((index, event))
        return found

    # Invocations

    def _of_invocation(self, index: int, keys: _Keys) -> Iterator[Call]:
        """Yield the handler of an invocation, the fault points in its code, its response and its delete."""
        if not isinstance(self.history.events[index], InvocationStarted):
            return
        yield from keys.calls("handler", index, index)
        for later, event in self._effects.get(index, ()):
            if isinstance(event, PointPassed):  # for one message or all: the history does not show it
                each = [(cell,) for cells in keys.groups for cell in cells]
                yield from (Call((f"{FAULT_POINT}:{event.point}",), cells, later, later) for cells in each)
            elif isinstance(event, InvocationEnded):
                yield from keys.calls("response", later, later)
                yield from self._delete(later, keys)

    def _delete(self, ended: int, keys: _Keys) -> Iterator[Call]:
        """Yield the delete after a response; only a window applies to its repetition.

        Its keys are the latest receives of the messages: a message may have been received again meanwhile.
        """
        for index, event in self._effects.get(ended, ()):
            if isinstance(event, Deleted):
                cells = tuple((message, self._latest(message, index)) for message in event.messages)
                yield from attrs.evolve(keys, groups=(cells,)).calls("delete", index, index)
                return

    def _latest(self, message: int, index: int) -> int:
        """Return the receive count of a message's latest receive before an event index."""
        receives = [event for at, event in self._receives[message] if at < index]
        return _count(receives[-1], message)

    @cached_property
    def _effects(self) -> dict[int, list[tuple[int, Event]]]:
        """The events that each event has caused, with their indexes."""
        found: dict[int, list[tuple[int, Event]]] = {}
        for index, event in enumerate(self.history.events):
            if event.cause is not None:
                found.setdefault(event.cause, []).append((index, event))
        return found

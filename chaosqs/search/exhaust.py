"""Runs all plans within a bound, the fewest and simplest faults and pauses first.

A plan grows by one fault or pause at a time. Its run shows where the next one can be injected. Three kinds of plans are
skipped, because another run already stands for each of them:

* *The new fault changes nothing.* Every effect of a fault is in an event. So if one more fault gives a known history,
  it had no effect, and no plan built on it is new. This does not hold for pauses, which may change an order that no
  event shows: a pause never counts as without effect, and only plans with the same pauses are compared.
* *The new fault is in the same call.* A plan can address a batch by any of its messages. The choice only decides
  which keys are left for further faults, so such a plan is built on, but not run. (A pause may divide the messages of
  a batch, so plans with a pause are all run.)
* *The same faults were added in another order.* Two runs are equal up to the first call at which only one plan
  injects a fault. So each set of faults can be built in the order of their calls. A fault is added only at a call that
  may come after the call of the last fault.

Messages are not interchangeable although their bodies are the same, because they have an order in the queue.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from heapq import heappop, heappush
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
from chaosqs.model.faults import FAULT_POINT, KINDS, OK, FaultPlan, Pause, kind_of
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Load, arrivals
from chaosqs.search.coverage import coverage
from chaosqs.search.meter import Meter, Progress
from chaosqs.search.run import InvariantSearch, described
from chaosqs.search.schedules import watched
from chaosqs.search.simplicity import Complexity, complexity
from chaosqs.simulation.run import simulate

# Places: the calls of a run at which a fault can be injected, and the plan keys that address them ---------------------
#
# A plan key is a message and its n-th receive. The simulator asks the plan once per call, with all messages that the
# call is about (`faults/injector.py`). The calls of a run are therefore all places at which one more fault can change
# it. If the history does not show which key addresses a call, each possible key is listed as a call of its own.

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


# Frontier -------------------------------------------------------------------------------------------------------------

_Injected: TypeAlias = tuple[tuple[Call, str], ...]
_Path: TypeAlias = tuple[tuple[Load, ...], FaultPlan | _Injected]

LONGEST = 10
"""Maximum length of a pause that is tried, in steps of other tasks."""


@attrs.frozen
class Bound:
    """The bounds of an exhaustive search."""

    messages: int
    """Messages of the largest scenario."""
    faults: int
    """Maximum faults at single sends and receives in one plan."""
    pauses: int
    """Maximum pauses of single tasks in one plan, each for 1 to `LONGEST` steps of other tasks."""
    max_runs: int
    """Maximum simulations."""

    @property
    def depth(self) -> int:
        """Number of faults and pauses of the largest plans."""
        return self.faults + self.pauses


@attrs.frozen
class _Node:
    """A plan, with the faults and pauses that were added to build it."""

    scenario: Scenario
    injected: _Injected = ()
    """The calls into which the added faults are injected, with the kinds of fault, in the order of adding."""
    pauses: tuple[Pause, ...] = ()

    @property
    def depth(self) -> int:
        """Number of faults and pauses that were added."""
        return len(self.injected) + len(self.pauses)

    @property
    def path(self) -> _Path:
        """Key of all plans with the same run: the calls with faults and the kinds, without the keys that address them.

        With a pause it is the plan itself, because the messages of one batch may then be in two.
        """
        return self.scenario.workload, self.scenario.faults if self.pauses else self.injected

    @property
    def since(self) -> int:
        """First event index at which a fault may be added; 0 if there are pauses, which may move any event."""
        return self.injected[-1][0].since if self.injected and not self.pauses else 0

    def with_fault(self, call: Call, cell: Cell, kind: str) -> _Node:
        """Return the plan with one more fault."""
        plan = with_fault(self.scenario.faults, cell, kind)
        return _Node(attrs.evolve(self.scenario, faults=plan), (*self.injected, (call, kind)), self.pauses)

    def with_pause(self, pause: Pause) -> _Node:
        """Return the plan with one more pause; the same pauses are always in the same order."""
        plan = self.scenario.faults
        own = plan.pauses[: len(plan.pauses) - len(self.pauses)]
        added = tuple(sorted((*self.pauses, pause), key=repr))
        scenario = attrs.evolve(self.scenario, faults=attrs.evolve(plan, pauses=own + added))
        return _Node(scenario, self.injected, added)


@attrs.frozen
class _Run:
    """The places of a run at which the next fault or pause can be added."""

    new: bool
    """True if the history was not known. If it was, nothing is built on the plan."""
    calls: tuple[Call, ...] = ()
    steps: Mapping[str, int] = attrs.field(factory=dict[str, int])
    """Number of steps of each task."""


@attrs.define(eq=False)
class Frontier:
    """A walk through all plans within a bound."""

    bound: Bound
    searches: Sequence[InvariantSearch]
    """The invariants, each judged until it is violated; its first violation has the fewest faults and pauses."""
    runs: int = 0
    same_call: int = 0
    """Plans that were not run because their faults are in the same calls as another's."""
    complete: int = -1
    """Number of faults and pauses up to which all plans are done; -1: none."""
    kinds: dict[str, None] = attrs.field(factory=dict[str, None])
    """The kinds of fault in the plans that were run."""
    digests: set[str] = attrs.field(factory=set[str])
    """Digests of all histories."""
    meter: Meter = attrs.field(factory=Meter)
    """The time of the walk and of what explains its violations."""
    _heap: list[tuple[Complexity, _Node]] = attrs.field(factory=list[tuple[Complexity, _Node]])
    _scheduled: set[_Path] = attrs.field(factory=set[_Path])
    """Every plan ever queued, with its workload."""
    _leaves: Counter[_Path] = attrs.field(factory=Counter[_Path])
    """Number of plans of maximum depth by path; paths that were run are removed."""
    _by_path: dict[_Path, _Run] = attrs.field(factory=dict[_Path, _Run])
    _known: set[tuple[tuple[Pause, ...], str]] = attrs.field(factory=set[tuple[tuple[Pause, ...], str]])
    """Pauses and digest of each history."""

    @property
    def violated(self) -> int:
        """Number of invariants that are violated so far."""
        return sum(not each.open for each in self.searches)

    def walk(self, variants: Sequence[Scenario]) -> None:
        """Try all plans on all variants until every invariant is violated or all simulations are spent.

        Raises `NotDeterministic` if a variant has two histories, and the simulator's exceptions.
        """
        time = self.meter.search()
        for variant in variants:
            simulate(variant, verify=True)
            self._add(_Node(variant))
        while self._heap:
            _, node = heappop(self._heap)
            self.complete = node.depth - 1
            violated = self.violated
            if violated == len(self.searches):
                return
            known = self._by_path.get(node.path)
            if known is None and (self.runs == self.bound.max_runs or time.over(found=violated > 0)):
                return
            self.same_call += known is not None
            run = self._run(node) if known is None else known
            for child in self._children(node, run) if run.new else ():
                self._add(child)
        self.complete = self.bound.depth

    def _add(self, node: _Node) -> None:
        """Queue a plan unless it was queued before; of the plans of maximum depth, only one of each path."""
        plan = node.scenario.workload, node.scenario.faults
        if plan in self._scheduled:
            return
        self._scheduled.add(plan)
        if node.depth == self.bound.depth:
            self._leaves[node.path] += 1
            if self._leaves[node.path] > 1:
                return
        heappush(self._heap, (complexity(node.scenario), node))

    def _run(self, node: _Node) -> _Run:
        """Simulate and judge a plan."""
        self.runs += 1
        self.same_call += self._leaves.pop(node.path, 1) - 1
        self.kinds |= dict.fromkeys(_name(kind) for _, kind in node.injected)
        history, steps = self._simulated(node.scenario)
        digest = history.digest
        if digest not in self.digests:
            self._judge(node.scenario, history)
        run = _Run(new=(node.pauses, digest) not in self._known)
        self.digests.add(digest)
        self._known.add((node.pauses, digest))
        if run.new and node.depth < self.bound.depth:
            found = calls(history) if len(node.injected) < self.bound.faults else ()
            run = self._by_path[node.path] = _Run(new=True, calls=found, steps=steps)
        return run

    def _simulated(self, scenario: Scenario) -> tuple[History, Mapping[str, int]]:
        """Simulate, and count steps if pauses are tried; add a note with the scenario to any exception."""
        try:
            return watched(scenario) if self.bound.pauses else (simulate(scenario), {})
        except Exception as error:
            error.add_note(f"while simulating {described(error, scenario)}")
            raise

    def _judge(self, scenario: Scenario, history: History) -> None:
        marks = coverage(history)
        for each in self.searches:
            if each.open:
                each.tally.add(scenario, each.oracle.judge(history), marks)
        self.meter.say(Progress("searching", self.runs, self.bound.max_runs, self.violated))

    def _children(self, node: _Node, run: _Run) -> Iterator[_Node]:
        """Yield the plans with one more fault or pause."""
        if len(node.injected) < self.bound.faults:
            yield from self._with_fault(node, run)
        if len(node.pauses) < self.bound.pauses:
            held = [(pause.task, pause.step) for pause in node.scenario.faults.pauses]
            indexes = ((task, step) for task, last in run.steps.items() for step in range(1, last + 1))
            free = [index for index in indexes if index not in held]
            yield from (node.with_pause(Pause(*index, steps)) for index in free for steps in range(1, LONGEST + 1))

    def _with_fault(self, node: _Node, run: _Run) -> Iterator[_Node]:
        plan, since = node.scenario.faults, node.since
        for call in run.calls:
            cells = call.free(plan) if call.until >= since else []
            yield from (node.with_fault(call, cell, kind) for kind in call.kinds for cell in cells)


def _name(kind: str) -> str:
    """Return the name of a kind in the catalogue: `fault_point` for `fault_point:charge`."""
    known = kind_of(kind)
    assert known is not None, kind
    return known.name

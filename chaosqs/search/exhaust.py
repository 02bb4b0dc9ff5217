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
from heapq import heappop, heappush
from typing import TypeAlias

import attrs

from chaosqs.model.faults import FaultPlan, Pause, kind_of
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Load
from chaosqs.search.coverage import coverage
from chaosqs.search.meter import Meter, Progress
from chaosqs.search.placements import Call, Cell, calls, with_fault
from chaosqs.search.run import InvariantSearch, described
from chaosqs.search.schedules import watched
from chaosqs.search.simplicity import Complexity, complexity
from chaosqs.simulation.run import simulate

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
        self.meter.tell(Progress("searching", self.runs, self.bound.max_runs, self.violated))

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

"""All plans within a bound, the fewest and simplest faults and pauses first: how they are built out of runs.

A plan grows by one fault or pause at a time. What a run shows is where the next one can strike. Three kinds of plans
are left out, as a run stands for each of them already:

* *It changes nothing.* Whatever a fault does, an event names or shows it. So where one more gives a history that is
  known, it struck nothing, and nothing that is built on it is new. Of pauses that is not so: they may change an order
  that no event shows. So they count as idle nowhere, and only plans with the same pauses are compared.
* *It strikes the same call.* A batch can be meant by any of its messages. Which one it was decides no more than which
  keys are left for further faults: such a plan is built on, but not run. (A pause may part the messages of a batch:
  plans with one are all run.)
* *It is built in another order.* Two runs are the same up to the first call that only one of their plans strikes. So
  each set of faults can be built in the order in which they strike, and one is added only at a call that may come
  after that of the last one.

Messages are not interchanged, although their bodies are alike: they stand in line, one behind the other.
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
from chaosqs.search.placements import Call, Cell, calls, with_fault
from chaosqs.search.run import Trial
from chaosqs.search.schedules import watched
from chaosqs.search.simplicity import Complexity, complexity
from chaosqs.simulation.run import isolated

_Injected: TypeAlias = tuple[tuple[Call, str], ...]
_Path: TypeAlias = tuple[tuple[Load, ...], FaultPlan | _Injected]


LONGEST = 10
"""Steps of others for which a pause that is tried holds its task, at the most."""


@attrs.frozen
class Bound:
    """What is tried."""

    messages: int
    """Messages of the largest world."""
    faults: int
    """Faults of single sends and receives in one plan, at the most."""
    pauses: int
    """Pauses of single tasks in one plan, at the most, each for 1 to `LONGEST` steps of others."""
    max_runs: int
    """Simulations at the most."""

    @property
    def depth(self) -> int:
        """Faults and pauses of the largest plans."""
        return self.faults + self.pauses


@attrs.frozen
class _Node:
    """A plan, and how it was built."""

    scenario: Scenario
    injected: _Injected = ()
    """The calls that faults strike, each a call of the run before, with their kinds; in the order of their adding."""
    pauses: tuple[Pause, ...] = ()

    @property
    def depth(self) -> int:
        """How many faults and pauses were added."""
        return len(self.injected) + len(self.pauses)

    @property
    def path(self) -> _Path:
        """What the run hangs on: calls and kinds, and not the keys by which the plan means them.

        With a pause it is the plan, as the messages that were in one batch may be in two then.
        """
        return self.scenario.workload, self.scenario.faults if self.pauses else self.injected

    @property
    def since(self) -> int:
        """From which place of the history on a fault may be added; with a pause each event may stand elsewhere."""
        return self.injected[-1][0].since if self.injected and not self.pauses else 0

    def with_fault(self, call: Call, cell: Cell, kind: str) -> _Node:
        """Return the plan with one fault more."""
        plan = with_fault(self.scenario.faults, cell, kind)
        return _Node(attrs.evolve(self.scenario, faults=plan), (*self.injected, (call, kind)), self.pauses)

    def with_pause(self, pause: Pause) -> _Node:
        """Return the plan with one pause more; the same pauses are always in the same order."""
        plan = self.scenario.faults
        own = plan.pauses[: len(plan.pauses) - len(self.pauses)]
        added = tuple(sorted((*self.pauses, pause), key=repr))
        scenario = attrs.evolve(self.scenario, faults=attrs.evolve(plan, pauses=own + added))
        return _Node(scenario, self.injected, added)


@attrs.frozen
class _Run:
    """What a run shows of where to go on."""

    new: bool
    """Whether it stands for itself: if not, nothing is built on its plan."""
    calls: tuple[Call, ...] = ()
    steps: Mapping[str, int] = attrs.field(factory=dict[str, int])
    """How many steps each task took."""


@attrs.define(eq=False)
class Frontier:
    """A walk through all plans within a bound."""

    bound: Bound
    trials: Sequence[Trial]
    """What is judged, until it is violated; the first violation has the fewest faults and pauses."""
    runs: int = 0
    same_call: int = 0
    complete: int = -1
    """All plans with so many faults and pauses are done."""
    kinds: dict[str, None] = attrs.field(factory=dict[str, None])
    """The kinds of fault in the plans that were run."""
    digests: set[str] = attrs.field(factory=set[str])
    """Those of all histories."""
    _heap: list[tuple[Complexity, _Node]] = attrs.field(factory=list[tuple[Complexity, _Node]])
    _plans: set[_Path] = attrs.field(factory=set[_Path])
    """All that were ever to be tried, with their workloads."""
    _leaves: Counter[_Path] = attrs.field(factory=Counter[_Path])
    """How many of those on which nothing is built take a course; the courses that were run are gone."""
    _by_path: dict[_Path, _Run] = attrs.field(factory=dict[_Path, _Run])
    _known: set[tuple[tuple[Pause, ...], str]] = attrs.field(factory=set[tuple[tuple[Pause, ...], str]])
    """The histories by pauses."""

    def walk(self, variants: Sequence[Scenario]) -> None:
        """Try all plans on all worlds, until each invariant is violated or all simulations are spent.

        Raises `NotDeterministic` where a world has two histories, and what the simulator raises.
        """
        for variant in variants:
            isolated(variant, verify=True)
            self._add(_Node(variant))
        while self._heap:
            _, node = heappop(self._heap)
            self.complete = node.depth - 1
            if not any(trial.open for trial in self.trials):
                return
            known = self._by_path.get(node.path)
            if known is None and self.runs == self.bound.max_runs:
                return
            self.same_call += known is not None
            run = self._run(node) if known is None else known
            for child in self._children(node, run) if run.new else ():
                self._add(child)
        self.complete = self.bound.depth

    def _add(self, node: _Node) -> None:
        """Put a plan on the heap, unless it was there; of those on which nothing is built, one of each course."""
        plan = node.scenario.workload, node.scenario.faults
        if plan in self._plans:
            return
        self._plans.add(plan)
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
        """Simulate, and count steps where pauses are tried; note the scenario on whatever goes wrong."""
        try:
            return watched(scenario) if self.bound.pauses else (isolated(scenario), {})
        except Exception as error:
            error.add_note(f"while simulating {scenario!r}")
            raise

    def _judge(self, scenario: Scenario, history: History) -> None:
        marks = coverage(history)
        for trial in self.trials:
            if trial.open:
                trial.tally.add(scenario, trial.oracle.judge(history), marks)

    def _children(self, node: _Node, run: _Run) -> Iterator[_Node]:
        """Yield the plans with one fault or pause more."""
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
    """Return what a kind is called in the catalogue: `fault_point:charge` is a `fault_point`."""
    known = kind_of(kind)
    assert known is not None, kind
    return known.name

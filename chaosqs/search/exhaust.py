"""Small-scope exhaustion: every placement of a few faults and pauses in a small world, so that a pass is a proof.

How the plans are built, and which are left out because a run stands for them: `chaosqs.search.exhaust`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from heapq import heappop, heappush
from typing import TypeAlias

import attrs

from chaosqs.errors import InvalidInput
from chaosqs.invariants import DEFAULT, Invariant
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.faults import FaultPlan, Pause, kind_of
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict
from chaosqs.model.workload import Burst, Load, arrivals
from chaosqs.search.coverage import coverage
from chaosqs.search.exhaustion import LONGEST, Bound, Exhaustion
from chaosqs.search.finding import Finding
from chaosqs.search.oracle import Oracle
from chaosqs.search.placements import Call, Cell, calls, with_fault
from chaosqs.search.run import Trial, finding
from chaosqs.search.schedules import watched
from chaosqs.search.shrink import without_end
from chaosqs.search.simplicity import Complexity, complexity, ending
from chaosqs.simulation.run import isolated

# All plans within a bound, the fewest and simplest faults and pauses first: how they are built out of runs. ----------
#
# A plan grows by one fault or pause at a time. What a run shows is where the next one can strike. Three kinds of plans
# are left out, as a run stands for each of them already:
#
# * *It changes nothing.* Whatever a fault does, an event names or shows it. So where one more gives a history that is
# known, it struck nothing, and nothing that is built on it is new. Of pauses that is not so: they may change an order
# that no event shows. So they count as idle nowhere, and only plans with the same pauses are compared.
# * *It strikes the same call.* A batch can be meant by any of its messages. Which one it was decides no more than which
# keys are left for further faults: such a plan is built on, but not run. (A pause may part the messages of a batch:
# plans with one are all run.)
# * *It is built in another order.* Two runs are the same up to the first call that only one of their plans strikes. So
# each set of faults can be built in the order in which they strike, and one is added only at a call that may come
# after that of the last one.
#
# Messages are not interchanged, although their bodies are alike: they stand in line, one behind the other.

_Injected: TypeAlias = tuple[tuple[Call, str], ...]
_Path: TypeAlias = tuple[tuple[Load, ...], FaultPlan | _Injected]


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


# ---------------------------------------------------------------------------------------------------------------------

MESSAGES, FAULTS, PAUSES, MAX_RUNS = 2, 2, 0, 20_000
"""The bound where nobody says another."""
_MOST_MESSAGES = 100


def exhaust(  # noqa: PLR0913 - each is a part of the question, and all but one have an answer
    start: Design | Scenario,
    mapping: str = "",
    *,
    name: str = "design",
    invariants: Sequence[Invariant] = DEFAULT,
    behaviours: Mapping[str, Behaviour] | None = None,
    messages: int | None = None,
    faults: int = FAULTS,
    pauses: int = PAUSES,
    max_runs: int = MAX_RUNS,
) -> Exhaustion:
    """Try every placement of up to so many `faults` and `pauses` in a small world, the fewest and simplest first.

    Of a design: a burst of 1 up to so many `messages` (2), in one message group on a FIFO queue, comes to the queue of
    the mapping (`orders→worker`; needed only where there are several), and seed is calm; functions that have no entry
    in `behaviours` behave as `Behaviour()`. Of a scenario: all is as it says, its seed and its faults included. The
    result is a proof within this bound, unless `max_runs` simulations are spent before; then nothing counts as kept.
    Raises `InvalidInput` for a mapping that the design does not have and for numbers out of range, `NotDeterministic`
    where the simulator contradicts itself, and what the simulator raises.
    """
    _check(start, messages, faults, pauses, max_runs)
    design = start.design if isinstance(start, Scenario) else start
    index = _index(design, mapping)
    variants = _variants(start, index, behaviours or {}, messages or MESSAGES)
    most = max(len(arrivals(variant.workload)) for variant in variants)
    bound = Bound(most, faults, pauses, max_runs)
    walk = Frontier(bound, [Trial(Oracle(invariant, index.queue)) for invariant in invariants])
    if index.enabled:
        walk.walk([_lasting(variant, bound) for variant in variants])
    return _exhaustion(name, index, walk)


def _check(start: Design | Scenario, messages: int | None, faults: int, pauses: int, max_runs: int) -> None:
    """Refuse a bound that means nothing."""
    numbers = {"messages": (messages, 1), "faults": (faults, 0), "pauses": (pauses, 0), "max_runs": (max_runs, 1)}
    for field, (value, least) in numbers.items():
        if value is not None and value < least:
            raise InvalidInput(f"{field} = {value}: must be {least} or more")
    if (messages or 0) > _MOST_MESSAGES:
        raise InvalidInput(f"messages = {messages}: must be {_MOST_MESSAGES} or less, as all are tried one by one")
    if messages is not None and isinstance(start, Scenario):
        raise InvalidInput(f"messages = {messages}: a scenario has a workload of its own")


def _index(design: Design, mapping: str) -> EventSourceMapping:
    indexes = [index for index in design.mappings if mapping in {"", index.name}]
    if len(indexes) == 1:
        return indexes[0]
    names = ", ".join(index.name for index in design.mappings) or "none"
    raise InvalidInput(f"mapping = {mapping!r}: must be one of the design's: {names}")


def _variants(
    start: Design | Scenario, index: EventSourceMapping, given: Mapping[str, Behaviour], messages: int
) -> list[Scenario]:
    """Return what plans are tried in."""
    if isinstance(start, Scenario):
        return [attrs.evolve(start, behaviours={**start.behaviours, **given})]
    groups = 1 if start.queue(index.queue).fifo else 0
    return [Scenario(start, [Burst(index.queue, count, groups=groups)], given) for count in range(1, messages + 1)]


def _lasting(variant: Scenario, bound: Bound) -> Scenario:
    """Return a world that lasts as long as the worst plan can take: one end for all, so that histories compare."""
    worst = attrs.evolve(
        variant.faults,
        messages=(*variant.faults.messages, *[("timeout",)] * bound.faults),
        sends=(*variant.faults.sends, *["lost_send"] * bool(bound.faults)),
        pauses=(*variant.faults.pauses, *[Pause(variant.design.mappings[0].name, 1, 1)] * bound.pauses),
    )
    until = ending(attrs.evolve(variant, faults=worst)).until
    return attrs.evolve(variant, until=max(until or 0, variant.until or 0))


def _exhaustion(name: str, index: EventSourceMapping, walk: Frontier) -> Exhaustion:
    """Return what came of a walk."""
    done = Exhaustion(
        design=name,
        mapping=index.name,
        bound=walk.bound,
        runs=walk.runs,
        histories=len(walk.digests),
        same_call=walk.same_call,
        complete=walk.complete if index.enabled else walk.bound.depth,
        kinds=tuple(walk.kinds),
    )
    return attrs.evolve(done, findings=tuple(_finding(trial, index, done.stopped) for trial in walk.trials))


def _finding(trial: Trial, index: EventSourceMapping, stopped: str) -> Finding:
    """Return what was found about one invariant; where the walk was `stopped`, that is why nothing holds."""
    oracle, scenario = trial.oracle, trial.tally.violating
    name = oracle.invariant.name
    if not index.enabled:
        return Finding(index.name, name, Verdict(name, Status.NOT_APPLICABLE, f"{index.name} is switched off"), 0)
    if scenario is not None:
        fitted = ending(scenario)
        smallest = without_end(fitted if oracle.violated(fitted) else scenario, oracle)
        return finding(trial, index.name, smallest)
    found = finding(trial, index.name)
    if not stopped or found.verdict.status not in {Status.HOLDS, Status.NOT_EXERCISED}:
        return found
    return attrs.evolve(found, verdict=Verdict(name, Status.INCONCLUSIVE, f"{stopped}: no proof"))

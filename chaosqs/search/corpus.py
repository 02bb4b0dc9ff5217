"""The seed corpus: fixed scenarios that a search runs before it draws any, the same for every seed of the search.

They have one message, then a few, then many, with each behaviour of a function; each kind of poison message among
ordinary ones; a redrive by an operator; each kind of fault once; a lasting fault; bodies of maximum size. They are
small: all of them together cost as much as a dozen drawn cases. A violation in one of them is found at once, whatever
the search's seed; otherwise the search goes on with drawn cases.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from math import ceil

import attrs

from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import PAYLOAD_LIMIT, Design, Function
from chaosqs.model.faults import FAULT_POINT, KINDS, Action, FaultPlan, Window, kind_of, with_step
from chaosqs.model.liveness import MOST_RECEIVES
from chaosqs.model.message import Message
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.search.simplicity import FAILING, HEALTHY, ON_THE_EDGE, complexity, ending, strain
from chaosqs.strategies.grid import exact, longest_timeout
from chaosqs.strategies.messages import MessageSource, among
from chaosqs.strategies.scenarios import ends

# The scenario grid ---------------------------------------------------------------------------------------------------
#
# The calm scenarios of a design: few workloads and behaviours, no chance, and few enough to try all. A violation that
# also occurs in one of them has a normal form that does not depend on a seed: the simplest calm scenario that has it.

MESSAGE_COUNTS = (1, 2, 3, 5, 8, 12, 20, 30, 40, 60, 100, 150)
"""Numbers of messages to try in calm scenarios."""
FEW_MESSAGE_COUNTS = MESSAGE_COUNTS[:7]
"""Numbers of messages to try where functions fail: such violations need few messages."""
_MOST_DRAWN = 60
MOST_FAULTS = 3
"""Maximum receives of the first message that one fault may affect."""
_STEPS = range(1, 9)
"""Calls and waits of real code at which a crash is tried."""


@attrs.frozen
class ScenarioGrid:
    """The calm scenarios in which a queue of a design gets a load, and variants of these."""

    design: Design
    queue: str
    given: Mapping[str, Behaviour] = attrs.field(factory=dict[str, Behaviour])
    """Fixed behaviours, by function name."""
    points: tuple[str, ...] = ()
    """Fault points in the handlers' code, and calls that it makes to other services: `charge`, `dynamodb:PutItem`."""
    sources: Mapping[str, MessageSource] = attrs.field(factory=dict[str, MessageSource])
    """Sources of the messages of queues, by queue name; those of other queues have bodies of a size."""
    most: int = MESSAGE_COUNTS[-1]
    """Maximum messages of a scenario."""
    _known: dict[tuple[int, int, tuple[float, ...]], list[Scenario]] = attrs.field(
        factory=dict[tuple[int, int, tuple[float, ...]], "list[Scenario]"], init=False, repr=False, eq=False
    )
    """The variants that were made: shrinking asks for them again, for each invariant."""

    def counts(self, wanted: Iterable[int]) -> tuple[int, ...]:
        """Return those of some numbers of messages that a scenario may have."""
        return tuple(count for count in wanted if count <= self.most)

    @property
    def most_drawn(self) -> int:
        """Maximum messages of a drawn load."""
        return min(_MOST_DRAWN, self.most)

    def variants(self, messages: int, strain: int = HEALTHY) -> list[Scenario]:
        """Return the scenarios with a number of messages and a strain on the functions, the simplest first.

        The load arrives at once, or evenly over one second, the function's timeout or the queue's visibility timeout.
        If other queues are polled too, it is also shared evenly among all of them. Each function that gets a load takes
        the default time, 1 second, half its timeout, its timeout less 1 second, or, on the edge, less 1 millisecond.
        """
        timeout, visibility = longest_timeout(self.design, self.queue), self.design.queue(self.queue).visibility_timeout
        return self._variants(messages, strain, tuple(dict.fromkeys((0, 1, timeout, visibility))))

    def sudden_variants(self, messages: int, strain: int = HEALTHY) -> list[Scenario]:
        """Return those of `variants` in which the load arrives at once."""
        return self._variants(messages, strain, (0,))

    def _variants(self, messages: int, strain: int, overs: tuple[float, ...]) -> list[Scenario]:
        """Return those of `variants` in which the load arrives over one of some times, in seconds."""
        key = messages, strain, overs
        if key not in self._known:
            self._known[key] = sorted(self._all(messages, strain, overs), key=complexity)
        return list(self._known[key])

    def faulty_variants(self, messages: int, fault_count: int) -> list[Scenario]:
        """Return the scenarios with a fault at `fault_count` receives of the first message, the simplest first.

        The load arrives at once, and no function is strained.
        """
        calm, plans = self.sudden_variants(messages), list(self._plans(fault_count))
        return sorted((_with(variant, plan) for plan in plans for variant in calm), key=complexity)

    def faulted_variants(self, messages: int, fault_count: int, over: float = 0) -> list[Scenario]:
        """Return the simplest calm scenario with messages over some seconds, with each fault of `faulty_variants`."""
        calm = self._variants(messages, HEALTHY, (over,))
        return [_with(variant, plan) for variant in calm[:1] for plan in self._plans(fault_count)]

    def lasting_variants(self, messages: int) -> list[Scenario]:
        """Return the simplest calm scenario with a number of messages, with each lasting fault, the simplest first.

        A lasting fault is a window from the start, for one second or for three visibility timeouts.
        """
        calm, visibility = self.sudden_variants(messages), self.design.queue(self.queue).visibility_timeout
        spans = dict.fromkeys((1, 3 * visibility or 1))
        plans = [FaultPlan(windows=(Window(kind, "", 0, span),)) for kind in self._possible() for span in spans]
        return sorted((_with(variant, plan) for variant in calm[:1] for plan in plans), key=complexity)

    def assumption_variants(self, messages: int) -> list[Scenario]:
        """Return the simplest calm scenario with a number of messages, with each assumption at each end of a range."""
        changed = [attrs.evolve(Assumptions(), **{name: end}) for name, end in ends()]
        calm = self.sudden_variants(messages)[:1]
        return [ending(attrs.evolve(variant, assumptions=assumed)) for variant in calm for assumed in changed]

    def heavy_variants(self) -> list[Scenario]:
        """Return the simplest calm scenario in which one batch could exceed the payload limit (EP-8), if any can."""
        largest = self.design.queue(self.queue).maximum_message_size
        messages = PAYLOAD_LIMIT // largest + 1
        batch_sizes = [mapping.batch_size for mapping in self.design.mappings if mapping.queue == self.queue]
        if messages > max(batch_sizes):
            return []
        source, groups = self.sources.get(self.queue), self._groups(self.queue)
        heavy = Burst(self.queue, messages, body_bytes=largest, groups=groups)
        if source is not None:
            heavy = Burst(self.queue, messages, groups=groups, messages=source.heavy)
        return [ending(attrs.evolve(variant, workload=(heavy,))) for variant in self.sudden_variants(1)[:1]]

    def poison_variants(self, messages: int) -> Iterator[Scenario]:
        """Yield the simplest calm scenario with a number of messages, with each poison message as the first of them."""
        source = self.sources.get(self.queue)
        for odd in () if source is None else source.poison:
            yield from self.poisoned(odd, messages)

    def poisoned(self, odd: Message, messages: int) -> list[Scenario]:
        """Return the simplest calm scenario with a number of messages, of which the first is a poison message."""
        source = self.sources.get(self.queue)
        if source is None:
            return []
        own = Burst(
            self.queue,
            messages,
            groups=self._groups(self.queue),
            messages=among(source, odd, messages),
            distinct=source.distinct,
        )
        return [ending(attrs.evolve(variant, workload=(own,))) for variant in self.sudden_variants(1)[:1]]

    def redriven_variants(self) -> list[Scenario]:
        """Return the simplest scenario in which an operator moves a dead letter back, if the queue has dead letters.

        Its only message fails until it is dead-lettered; the operator waits for that.
        """
        queue = self.design.queue(self.queue)
        if queue.redrive is None or queue.redrive.max_receive_count > MOST_RECEIVES:
            return []
        moved = queue.redrive.max_receive_count * max(1, queue.visibility_timeout) + queue.delay
        back = Action("redrive", queue.redrive.dead_letter_queue, moved + longest_timeout(self.design, self.queue))
        failing = self.sudden_variants(1, FAILING)[:1]
        return [_with(variant, FaultPlan(actions=(back,))) for variant in failing]

    def _plans(self, fault_count: int) -> Iterator[FaultPlan]:
        """Yield the plans with one kind of fault: at `fault_count` receives, or, if that is 1, at the send."""
        for name in self._possible():
            kind = kind_of(name)
            if kind is None or not kind.keyed:
                continue
            if kind.injection_point != "send":
                yield FaultPlan(messages=((name,) * fault_count,))
                if name == "crash" and fault_count == 1 and self.real:
                    yield from (FaultPlan(messages=((with_step(name, step),),)) for step in _STEPS)
            elif fault_count == 1:
                yield FaultPlan(sends=(name,))

    @property
    def real(self) -> bool:
        """True if a function is real code."""
        return any(behaviour.handler is not None for behaviour in self.given.values())

    def _possible(self) -> Iterator[str]:
        """Yield the kinds of fault that are possible in the design; a fault in user code once per fault point."""
        fifo = self.design.queue(self.queue).fifo
        for kind in KINDS:
            if kind.is_named:
                calls = kind.name != FAULT_POINT
                yield from (f"{kind.name}:{point}" for point in self.points if calls == (":" in point))
            elif not (fifo and kind.standard_only):
                yield kind.name

    def _all(self, messages: int, strain: int, overs: tuple[float, ...]) -> Iterator[Scenario]:
        for workload in self._workloads(messages, overs):
            loaded = tuple(load.queue for load in workload)
            for behaviours in self._behaviours(loaded):
                if self._strain(behaviours) == strain:
                    yield ending(Scenario(self.design, workload, behaviours))

    def _workloads(self, messages: int, overs: tuple[float, ...]) -> Iterator[tuple[Burst, ...]]:
        others = [mapping.queue for mapping in self.design.mappings if mapping.queue != self.queue and mapping.enabled]
        everywhere = (self.queue, *dict.fromkeys(others))
        for over in overs:
            yield (self._burst(self.queue, messages, over),)
            if len(everywhere) > 1 and messages >= len(everywhere):
                shares = [(messages + index) // len(everywhere) for index in reversed(range(len(everywhere)))]
                yield tuple(self._burst(*load, over) for load in zip(everywhere, shares, strict=True))

    def _burst(self, queue: str, messages: int, over: float) -> Burst:
        """Return a load; a load of a FIFO queue has one message group."""
        source = self.sources.get(queue)
        burst = Burst(queue, messages, over=over, groups=self._groups(queue))
        return burst if source is None else attrs.evolve(burst, messages=source.samples, distinct=source.distinct)

    def _groups(self, queue: str) -> int:
        return 1 if self.design.queue(queue).fifo else 0

    def _behaviours(self, queues: tuple[str, ...]) -> Iterator[dict[str, Behaviour]]:
        """Yield behaviours of the functions that these queues feed: all the same, relative to their timeouts."""
        names = dict.fromkeys(mapping.function for mapping in self.design.mappings if mapping.queue in queues)
        free = [self.design.function(name) for name in names if name not in self.given]
        for choice in (
            zip(*(_choices(function, self._batch_size(function)) for function in free), strict=True) if free else ((),)
        ):
            own = {function.name: behaviour for function, behaviour in zip(free, choice, strict=True)}
            behaviours = {**self.given, **own}
            yield {name: behaviour for name, behaviour in behaviours.items() if behaviour != Behaviour()}

    def _batch_size(self, function: Function) -> int:
        return max(mapping.batch_size for mapping in self.design.mappings_of(function.name))

    def _strain(self, behaviours: Mapping[str, Behaviour]) -> int:
        """Return the largest strain on the functions whose behaviour is not fixed."""
        free = [(name, behaviour) for name, behaviour in behaviours.items() if name not in self.given]
        return max((strain(self.design, name, behaviour) for name, behaviour in free), default=HEALTHY)


def _with(variant: Scenario, plan: FaultPlan) -> Scenario:
    return ending(attrs.evolve(variant, faults=plan))


def bursts(variant: Scenario) -> Iterator[Burst]:
    """Yield the bursts of a grid scenario's workload, which has no other loads."""
    for load in variant.workload:
        if isinstance(load, Burst):
            yield load


def _choices(function: Function, batch_size: int) -> tuple[Behaviour, ...]:
    """Return the behaviours to try of a function; always the same number, so that those of two functions pair up."""
    timeout, usual = function.timeout, Behaviour().seconds_per_batch
    healthy = tuple(
        Behaviour(seconds_per_batch=exact(seconds) if seconds > usual else usual)
        for seconds in (usual, min(1, timeout / 2), timeout / 2, timeout - 1, timeout - 0.001)
    )
    return (
        *healthy,
        *(attrs.evolve(behaviour, poison=(0,)) for behaviour in healthy),
        *(attrs.evolve(behaviour, error_rate=1) for behaviour in healthy),
        Behaviour(seconds_per_batch=timeout),
        Behaviour(seconds_per_message=exact(timeout / batch_size)),
    )


# The seed corpus -----------------------------------------------------------------------------------------------------

MIN_DRAWN_SHARE = 1 / 3  # share of cases always left to Hypothesis
_SMALL_LOAD = 2  # messages
_MEDIUM_LOAD = 8  # messages
_LARGE_LOAD = 40  # messages
_POISONED_LOAD = 3  # messages
POISON_SHARE = 1 / 5  # share of cases with a poison message in the seed corpus; the simplest come first
_FAILURES = 4  # failing behaviours tried; the others are the same failures of functions that take longer


def seed_corpus(grid: ScenarioGrid, cases: int, *, vary_assumptions: bool = False) -> Iterator[Scenario]:
    """Yield the fixed scenarios for a search of a number of cases, each once.

    `vary_assumptions`: also yield scenarios with other assumptions about AWS.
    """
    seen: set[Scenario] = set()
    for variant in _variants(grid, cases, vary_assumptions=vary_assumptions):
        if len(seen) == cases - ceil(cases * MIN_DRAWN_SHARE):
            return
        if variant not in seen:
            seen.add(variant)
            yield variant


def _variants(grid: ScenarioGrid, cases: int, *, vary_assumptions: bool) -> Iterator[Scenario]:
    yield from (*_calm(grid, 1), *_failing(grid, 1))
    if grid.queue in grid.sources:
        yield from _calm(grid, len(grid.sources[grid.queue].samples))
        yield from islice(grid.poison_variants(_POISONED_LOAD), ceil(cases * POISON_SHARE))
    if vary_assumptions:
        yield from grid.assumption_variants(_MEDIUM_LOAD)
    yield from (*_calm(grid, _MEDIUM_LOAD), *_calm(grid, min(_LARGE_LOAD, grid.most)))
    yield from (*_calm(grid, _SMALL_LOAD), *_failing(grid, _SMALL_LOAD))
    yield from (*grid.redriven_variants(), *grid.heavy_variants())
    yield from grid.faulted_variants(1, fault_count=1)
    yield from grid.faulted_variants(1, fault_count=2)
    yield from grid.faulted_variants(_SMALL_LOAD, fault_count=1, over=1)
    yield from grid.lasting_variants(1)


def _calm(grid: ScenarioGrid, messages: int) -> Iterator[Scenario]:
    yield from grid.sudden_variants(messages, HEALTHY)
    yield from grid.sudden_variants(messages, ON_THE_EDGE)


def _failing(grid: ScenarioGrid, messages: int) -> Iterator[Scenario]:
    yield from grid.sudden_variants(messages, FAILING)[:_FAILURES]

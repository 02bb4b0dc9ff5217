"""With what a search opens, before it draws: the worlds that are worth a try on any design, the same for every seed.

One message, then a few, then many, with all that a function may do; each kind of fault once; a fault that lasts; bodies
as large as they may be. They are small, so all of them together cost as much as a dozen cases that are drawn. What one
of them shows is found at once, whatever the seed; and where none shows anything, the draws begin where they end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil

import attrs

from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import PAYLOAD_LIMIT, Design, Function
from chaosqs.model.faults import FAULT_POINT, KINDS, FaultPlan, Window, kind_of
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.search.simplicity import FAILING, HEALTHY, ON_THE_EDGE, complexity, ending, strain
from chaosqs.strategies.assumptions import ends
from chaosqs.strategies.grid import exact, longest_timeout

# The calm worlds of a design: few workloads and few behaviours, without chance, small enough to try them all. --------
#
# Whatever violates an invariant in one of them has a normal form that no seed changes: the simplest calm world that
# violates it too.

MESSAGE_COUNTS = (1, 2, 3, 5, 8, 12, 20, 30, 40, 60, 100, 150)
"""Numbers of messages at which a violation shows, if calm worlds have one."""
FEW_MESSAGE_COUNTS = MESSAGE_COUNTS[:7]
"""The same where functions fail: that takes few messages."""
MOST_FAULTS = 3
"""Receives of the first message that one fault may strike."""


@attrs.frozen
class ScenarioGrid:
    """The calm worlds in which a queue of a design gets a load."""

    design: Design
    queue: str
    given: Mapping[str, Behaviour] = attrs.field(factory=dict[str, Behaviour])
    """Behaviours that stay as they are."""
    points: tuple[str, ...] = ()
    """Sites in the handlers' code at which a fault may strike."""

    def variants(self, messages: int, strain: int = HEALTHY) -> list[Scenario]:
        """Return the worlds with so many messages and so much strain on the functions, the simplest first.

        The load arrives at once, or evenly over one second, the function's timeout or the queue's visibility timeout;
        where other queues are polled too, also shared evenly among all of them. Each function that gets a load needs
        the default time, 1 second, half its timeout, its timeout less 1 second, or, on the edge, less 1 millisecond.
        """
        timeout, visibility = longest_timeout(self.design, self.queue), self.design.queue(self.queue).visibility_timeout
        return self._variants(messages, strain, tuple(dict.fromkeys((0, 1, timeout, visibility))))

    def sudden_variants(self, messages: int, strain: int = HEALTHY) -> list[Scenario]:
        """Return the worlds among them in which the load arrives at once."""
        return self._variants(messages, strain, (0,))

    def _variants(self, messages: int, strain: int, overs: tuple[float, ...]) -> list[Scenario]:
        """Return the worlds whose load arrives over one of these times."""
        found = [variant for variant in self._all(messages, overs) if self._strain(variant) == strain]
        return sorted(found, key=complexity)

    def faulty_variants(self, messages: int, fault_count: int) -> list[Scenario]:
        """Return the worlds in which a fault strikes so many receives of the first message, the simplest first.

        The load arrives at once, and no function is strained.
        """
        calm, plans = self.sudden_variants(messages), list(self._plans(fault_count))
        return sorted((_with(variant, plan) for plan in plans for variant in calm), key=complexity)

    def faulted_variants(self, messages: int, fault_count: int, over: float = 0) -> list[Scenario]:
        """Return the calmest world with so many messages in so many seconds, once with each kind of fault, as above."""
        calm = self._variants(messages, HEALTHY, (over,))
        return [_with(variant, plan) for variant in calm[:1] for plan in self._plans(fault_count)]

    def lasting_variants(self, messages: int) -> list[Scenario]:
        """Return the calmest world with so many messages, once with each kind of fault that lasts, the simplest first.

        From the start, for one second or for three visibility timeouts.
        """
        calm, visibility = self.sudden_variants(messages), self.design.queue(self.queue).visibility_timeout
        spans = dict.fromkeys((1, 3 * visibility or 1))
        plans = [FaultPlan(windows=(Window(kind, "", 0, span),)) for kind in self._possible() for span in spans]
        return sorted((_with(variant, plan) for variant in calm[:1] for plan in plans), key=complexity)

    def assumption_variants(self, messages: int) -> list[Scenario]:
        """Return the calmest world with so many messages, once with each assumption at each end of its range."""
        guesses = [attrs.evolve(Assumptions(), **{name: end}) for name, end in ends()]
        calm = self.sudden_variants(messages)[:1]
        return [ending(attrs.evolve(variant, assumptions=guess)) for variant in calm for guess in guesses]

    def heavy_variants(self) -> list[Scenario]:
        """Return the calmest world in which a batch would take more than one payload may have (EP-8), if any can."""
        largest = self.design.queue(self.queue).maximum_message_size
        messages = PAYLOAD_LIMIT // largest + 1
        batch_sizes = [mapping.batch_size for mapping in self.design.mappings if mapping.queue == self.queue]
        if messages > max(batch_sizes):
            return []
        heavy = Burst(self.queue, messages, body_bytes=largest, groups=self._groups(self.queue))
        return [ending(attrs.evolve(variant, workload=(heavy,))) for variant in self.sudden_variants(1)[:1]]

    def _plans(self, fault_count: int) -> Iterator[FaultPlan]:
        """Yield the plans with one kind of fault: at receives, or, for one strike, at the send."""
        for name in self._possible():
            kind = kind_of(name)
            if kind is None or not kind.keyed:
                continue
            if kind.injection_point != "send":
                yield FaultPlan(messages=((name,) * fault_count,))
            elif fault_count == 1:
                yield FaultPlan(sends=(name,))

    def _possible(self) -> Iterator[str]:
        """Yield the kinds that can strike something of the design, the one in user code once a site."""
        fifo = self.design.queue(self.queue).fifo
        for kind in KINDS:
            if kind.name == FAULT_POINT:
                yield from (f"{FAULT_POINT}:{point}" for point in self.points)
            elif not (fifo and kind.standard_only):
                yield kind.name

    def _all(self, messages: int, overs: tuple[float, ...]) -> Iterator[Scenario]:
        for workload in self._workloads(messages, overs):
            loaded = tuple(load.queue for load in workload)
            for behaviours in self._behaviours(loaded):
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
        """Return a load; one of a FIFO queue is of one message group."""
        return Burst(queue, messages, over=over, groups=self._groups(queue))

    def _groups(self, queue: str) -> int:
        return 1 if self.design.queue(queue).fifo else 0

    def _behaviours(self, queues: tuple[str, ...]) -> Iterator[dict[str, Behaviour]]:
        """Yield what the functions do that these queues feed: all the same, relative to their timeouts."""
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

    def _strain(self, variant: Scenario) -> int:
        """Return the most that a function of whose behaviour there is a choice is strained."""
        free = [(name, behaviour) for name, behaviour in variant.behaviours.items() if name not in self.given]
        return max((strain(self.design, name, behaviour) for name, behaviour in free), default=HEALTHY)


def _with(variant: Scenario, plan: FaultPlan) -> Scenario:
    return ending(attrs.evolve(variant, faults=plan))


def bursts(variant: Scenario) -> Iterator[Burst]:
    """Yield the bursts of a world's workload: it has nothing else."""
    for load in variant.workload:
        if isinstance(load, Burst):
            yield load


def _choices(function: Function, batch_size: int) -> tuple[Behaviour, ...]:
    """Return what a function may do; always as many choices, so that those of two functions pair up."""
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


# ---------------------------------------------------------------------------------------------------------------------

_DRAWN = 3
"""One case in so many at least is drawn: chance needs some, too."""
_FEW, _SEVERAL, _MANY = 2, 8, 40
_FAILING = 4
"""So many ways in which functions may fail: the others are the same of functions that take long."""


def seed_corpus(grid: ScenarioGrid, cases: int, *, guesses: bool = False) -> Iterator[Scenario]:
    """Yield the worlds with which a search of so many cases opens, each once.

    `guesses`: whether what AWS does not document is in question, too.
    """
    seen: set[Scenario] = set()
    for variant in _variants(grid, guesses=guesses):
        if len(seen) == cases - ceil(cases / _DRAWN):
            return
        if variant not in seen:
            seen.add(variant)
            yield variant


def _variants(grid: ScenarioGrid, *, guesses: bool) -> Iterator[Scenario]:
    yield from (*_calm(grid, 1), *_failing(grid, 1))
    if guesses:
        yield from grid.assumption_variants(_SEVERAL)
    yield from (*_calm(grid, _SEVERAL), *_calm(grid, _MANY))
    yield from (*_calm(grid, _FEW), *_failing(grid, _FEW))
    yield from grid.heavy_variants()
    yield from grid.faulted_variants(1, fault_count=1)
    yield from grid.faulted_variants(1, fault_count=2)
    yield from grid.faulted_variants(_FEW, fault_count=1, over=1)
    yield from grid.lasting_variants(1)


def _calm(grid: ScenarioGrid, messages: int) -> Iterator[Scenario]:
    yield from grid.sudden_variants(messages, HEALTHY)
    yield from grid.sudden_variants(messages, ON_THE_EDGE)


def _failing(grid: ScenarioGrid, messages: int) -> Iterator[Scenario]:
    yield from grid.sudden_variants(messages, FAILING)[:_FAILING]

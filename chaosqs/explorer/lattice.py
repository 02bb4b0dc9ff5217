"""The calm worlds of a design: few workloads and few behaviours, without chance, small enough to try them all.

Whatever violates an invariant in one of them has a normal form that no seed changes: the simplest calm world that
violates it too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs

from chaosqs.explorer.order import HEALTHY, complexity, ending, strain
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, Function
from chaosqs.model.fault import FAULT_POINT, KINDS, FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.strategies.lattice import exact, longest_timeout

LADDER = (1, 2, 3, 5, 8, 12, 20, 30, 40, 60, 100, 150)
"""Numbers of messages at which a violation shows, if calm worlds have one."""
SHORT_LADDER = LADDER[:7]
"""The same where functions fail: that takes few messages."""
MOST_FAULTS = 3
"""Receives of the first message that one fault may strike."""


@attrs.frozen
class Lattice:
    """The calm worlds in which a queue of a design gets a load."""

    design: Design
    queue: str
    given: Mapping[str, Behaviour] = attrs.field(factory=dict[str, Behaviour])
    """Behaviours that stay as they are."""
    points: tuple[str, ...] = ()
    """Sites in the handlers' code at which a fault may strike."""

    def worlds(self, messages: int, strain: int = HEALTHY) -> list[Scenario]:
        """Return the worlds with so many messages and so much strain on the functions, the simplest first.

        The load arrives at once, or evenly over one second, the function's timeout or the queue's visibility timeout;
        where other queues are polled too, also shared evenly among all of them. Each function that gets a load needs
        the default time, 1 second, half its timeout, its timeout less 1 second, or, on the edge, less 1 millisecond.
        """
        found = [world for world in self._all(messages) if self._strain(world) == strain]
        return sorted(found, key=complexity)

    def faulty_worlds(self, messages: int, strikes: int) -> list[Scenario]:
        """Return the worlds in which a fault strikes so many receives of the first message, the simplest first.

        The load arrives at once, and no function is strained.
        """
        calm = [
            world for world in self.worlds(messages) if all(load.at == 0 and load.over == 0 for load in bursts(world))
        ]
        plans = self._plans(strikes)
        return sorted((ending(attrs.evolve(world, faults=plan)) for plan in plans for world in calm), key=complexity)

    def _plans(self, strikes: int) -> Iterator[FaultPlan]:
        """Yield the plans with one kind of fault: at receives, or, for one strike, at the send."""
        fifo = self.design.queue(self.queue).fifo
        for kind in KINDS:
            if not kind.keyed or (fifo and kind.standard_only):
                continue
            if kind.boundary == "send":
                if strikes == 1:
                    yield FaultPlan(sends=(kind.name,))
            elif kind.name == FAULT_POINT:
                for point in self.points:
                    yield FaultPlan(messages=((f"{FAULT_POINT}:{point}",) * strikes,))
            else:
                yield FaultPlan(messages=((kind.name,) * strikes,))

    def _all(self, messages: int) -> Iterator[Scenario]:
        for workload in self._workloads(messages):
            loaded = tuple(load.queue for load in workload)
            for behaviours in self._behaviours(loaded):
                yield ending(Scenario(self.design, workload, behaviours))

    def _workloads(self, messages: int) -> Iterator[tuple[Burst, ...]]:
        timeout, visibility = longest_timeout(self.design, self.queue), self.design.queue(self.queue).visibility_timeout
        others = [mapping.queue for mapping in self.design.mappings if mapping.queue != self.queue and mapping.enabled]
        everywhere = (self.queue, *dict.fromkeys(others))
        for over in dict.fromkeys((0, 1, timeout, visibility)):
            yield (self._burst(self.queue, messages, over),)
            if len(everywhere) > 1 and messages >= len(everywhere):
                shares = [(messages + place) // len(everywhere) for place in reversed(range(len(everywhere)))]
                yield tuple(self._burst(*load, over) for load in zip(everywhere, shares, strict=True))

    def _burst(self, queue: str, messages: int, over: float) -> Burst:
        """Return a load; one of a FIFO queue is of one message group."""
        return Burst(queue, messages, over=over, groups=1 if self.design.queue(queue).fifo else 0)

    def _behaviours(self, queues: tuple[str, ...]) -> Iterator[dict[str, Behaviour]]:
        """Yield what the functions do that these queues feed: all the same, relative to their timeouts."""
        names = dict.fromkeys(mapping.function for mapping in self.design.mappings if mapping.queue in queues)
        free = [self.design.function(name) for name in names if name not in self.given]
        for choice in (
            zip(*(_choices(function, self._batch_size(function)) for function in free), strict=True) if free else ((),)
        ):
            own = {function.name: behaviour for function, behaviour in zip(free, choice, strict=True)}
            yield {**self.given, **{name: behaviour for name, behaviour in own.items() if behaviour != Behaviour()}}

    def _batch_size(self, function: Function) -> int:
        return max(mapping.batch_size for mapping in self.design.mappings_of(function.name))

    def _strain(self, world: Scenario) -> int:
        """Return the most that a function of whose behaviour there is a choice is strained."""
        free = [(name, behaviour) for name, behaviour in world.behaviours.items() if name not in self.given]
        return max((strain(self.design, name, behaviour) for name, behaviour in free), default=HEALTHY)


def bursts(world: Scenario) -> Iterator[Burst]:
    """Yield the bursts of a world's workload: it has nothing else."""
    for load in world.workload:
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

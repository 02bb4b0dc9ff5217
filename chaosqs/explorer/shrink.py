"""From a scenario that violates an invariant to the normal form of its violation, in a bounded number of simulations.

Hypothesis's shrinker ends in a local minimum, which depends on where it began. So the calm worlds of the lattice come
first: the simplest one that violates the invariant is the answer, whatever was found. Only where none does, what was
found is simplified step by step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import attrs

from chaosqs.explorer.lattice import LADDER, MOST_FAULTS, SHORT_LADDER, Lattice
from chaosqs.explorer.oracle import Oracle
from chaosqs.explorer.order import FAILING, HEALTHY, ON_THE_EDGE, complexity, ending
from chaosqs.explorer.schedules import minimal
from chaosqs.explorer.simpler import simpler
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.fault import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.simulator.run import isolated

_FEW, _LASTING = 5, 2
"""Messages in worlds with a fault that strikes some receives, and with one that lasts."""


def shrink(
    scenario: Scenario, oracle: Oracle, *, given: Mapping[str, Behaviour] | None = None, simulations: int = 2_000
) -> Scenario:
    """Return the simplest scenario that violates the oracle's invariant, in the order of `order.complexity`.

    The design stays, and so do the behaviours `given`. Each of the five passes may use so many `simulations`. What
    comes out violates the invariant as what went in does; it ends by itself where it can (`until` None).
    """
    lattice = Lattice(scenario.design, oracle.queue or scenario.workload[0].queue, dict(given or {}))
    return calm_form(lattice, oracle, simulations) or simplified(scenario, lattice, oracle, simulations)


def calm_form(lattice: Lattice, oracle: Oracle, simulations: int) -> Scenario | None:
    """Return the simplest calm world that violates the invariant, or None where no calm world of the ladder does.

    The answer hangs on the lattice and the invariant alone, not on what a search has found.
    """
    for strain, ladder in ((HEALTHY, LADDER), (ON_THE_EDGE, LADDER), (FAILING, SHORT_LADDER)):
        found = _first(oracle, partial(lattice.worlds, strain=strain), ladder, simulations)
        if found is not None:
            return without_end(found, oracle)
    return None


def simplified(scenario: Scenario, lattice: Lattice, oracle: Oracle, simulations: int) -> Scenario:
    """Return a scenario in its simplest form, or the simplest world with one kind of fault, whichever is simpler."""
    steps = _downhill(scenario, oracle, lattice.given, simulations)
    if steps.faults.pauses:
        steps = _downhill(minimal(steps, oracle.violated, simulations), oracle, lattice.given, simulations)
    faulty = None if steps.faults == FaultPlan() else _faulty(oracle, lattice, simulations)
    return without_end(steps if faulty is None else min(steps, faulty, key=complexity), oracle)


def _first(
    oracle: Oracle, worlds: Callable[[int], list[Scenario]], ladder: tuple[int, ...], simulations: int
) -> Scenario | None:
    """Return the violating world with the fewest messages, the simplest of these; None where the ladder shows none."""
    limit = oracle.simulations + simulations
    rung, found = 0, None
    for rung in ladder:
        found = _violating(oracle, worlds(rung), limit)
        if found is not None:
            break
    if found is None:
        return None
    for count in range(1, rung):
        fewer = _violating(oracle, worlds(count), limit)
        if fewer is not None:
            return fewer
    return found


def _violating(oracle: Oracle, worlds: list[Scenario], limit: int) -> Scenario | None:
    for world in worlds:
        if oracle.simulations >= limit:
            return None
        if oracle.violated(world):
            return world
    return None


def _faulty(oracle: Oracle, lattice: Lattice, simulations: int) -> Scenario | None:
    """Return the simplest world with one kind of fault that violates the invariant."""
    limit = oracle.simulations + simulations
    found = (_violating(oracle, worlds, limit) for worlds in _rungs(lattice))
    return next(filter(None, found), None)


def _rungs(lattice: Lattice) -> Iterator[list[Scenario]]:
    """Yield worlds with one kind of fault: one that strikes once, one that lasts, one that strikes a few times.

    And before them one without, which the ladder lacks: its messages are as heavy as can be.
    """
    yield lattice.heavy_worlds()
    for count in range(1, _FEW + 1):
        yield lattice.faulty_worlds(count, strikes=1)
    yield lattice.struck_worlds(2, strikes=1, over=1)
    for count in range(1, _LASTING + 1):
        yield lattice.lasting_worlds(count)
    for strikes in range(2, MOST_FAULTS + 1):
        for count in range(1, _FEW + 1):
            yield lattice.faulty_worlds(count, strikes)


def _downhill(scenario: Scenario, oracle: Oracle, given: Mapping[str, Behaviour], simulations: int) -> Scenario:
    """Take every step that makes the scenario simpler and keeps the violation, until none is left."""
    limit = oracle.simulations + simulations
    current, size = scenario, complexity(scenario)
    moved = True
    while moved:
        moved = False
        for candidate in simpler(current, given):
            fitted = ending(candidate)
            smaller = complexity(fitted)
            if smaller < size and oracle.simulations < limit and oracle.violated(fitted):
                current, size, moved = fitted, smaller, True
                break
    return current


def without_end(scenario: Scenario, oracle: Oracle) -> Scenario:
    """Leave the end out where everything is done before it."""
    if scenario.until is None or isolated(scenario).drained_at is None:
        return scenario
    endless = attrs.evolve(scenario, until=None)
    return endless if oracle.violated(endless) else scenario

"""Which of two scenarios is the simpler one: a total order, so that "the smallest counterexample" means something.

In this order: fewer faults from outside; fewer guesses about AWS that differ from the measured ones; a smaller seed (0 is
calm); less strain on the functions; fewer messages; fewer loads; loads at once and from the start; behaviours nearer
to the default; faults that are better known; rounder numbers; smaller ones; the text.
"""

from __future__ import annotations

import attrs

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.model.faults import KINDS, OK, Action, FaultPlan, Pause, Window, kind_of
from chaosqs.model.liveness import run_length
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load, Steady, arrivals

Complexity = tuple[tuple[float, ...], str]


def complexity(scenario: Scenario) -> Complexity:
    """Return what orders scenarios of one design: the smaller, the simpler."""
    workload, behaviours = scenario.workload, tuple(scenario.behaviours.values())
    times = [value for part in (*workload, *behaviours, *_timed(scenario.faults)) for value in _times(part)]
    figures = (
        _faults(scenario.faults),
        sum(value != usual for value, usual in _fields(scenario.assumptions)),
        scenario.seed,
        sum(strain(scenario.design, name, behaviour) for name, behaviour in scenario.behaviours.items()),
        len(arrivals(workload)),
        len(workload),
        sum(_oddities(load) for load in workload),
        sum(_deviations(behaviour) for behaviour in behaviours),
        _strangeness(scenario.faults),
        sum(len(f"{value:g}") for value in times),
        sum(times),
    )
    return figures, repr(scenario)


def _strangeness(plan: FaultPlan) -> int:
    """Return how far down the catalogue of faults a plan reaches: what teams know comes first there."""
    kinds = [*plan.sends, *(kind for receives in plan.messages for kind in receives), *(w.kind for w in plan.windows)]
    found = [known for kind in kinds if (known := kind_of(kind)) is not None]
    return sum(KINDS.index(kind) for kind in found)


def _timed(plan: FaultPlan) -> tuple[Window | Action | Pause, ...]:
    """Return what has numbers in a plan."""
    return (*plan.windows, *plan.actions, *plan.pauses)


HEALTHY, ON_THE_EDGE, FAILING = 0, 1, 2
"""How much a function is strained."""


def strain(design: Design, function: str, behaviour: Behaviour) -> int:
    """Tell how much a function is strained.

    It fails by error, or because its usual duration reaches its timeout; it is on the edge where that falls into the
    last second of the timeout (the last half of a timeout of 1 second); else it is healthy.
    """
    largest = max((mapping.batch_size for mapping in design.mappings_of(function)), default=1)
    timeout = design.function(function).timeout
    usual = behaviour.seconds_per_batch + behaviour.seconds_per_message * largest
    if behaviour.error_rate or behaviour.poison or usual >= timeout:
        return FAILING
    return ON_THE_EDGE if usual > timeout - min(1, timeout / 2) else HEALTHY


def ending(scenario: Scenario) -> Scenario:
    """Return the scenario with the end that fits what it has become."""
    until = run_length(scenario.design, scenario.workload, scenario.behaviours, scenario.faults, scenario.assumptions)
    return attrs.evolve(scenario, until=until)


def _faults(plan: FaultPlan) -> int:
    """Count everything that a plan says to go wrong, and what it says of kinds that must not."""
    single = sum(kind != OK for receives in (*plan.messages, plan.sends) for kind in receives)
    healing = plan.heal_at is not None
    return single + len(plan.windows) + len(plan.banned) + len(plan.actions) + len(plan.pauses) + healing


def _oddities(load: Load) -> int:
    """Count in how many ways a load is not a burst at once, from the start, of usual bodies."""
    spread = isinstance(load, Steady) or load.over != 0
    return isinstance(load, Steady) + spread + (load.at != 0) + (load.body_bytes != Burst("", 0).body_bytes)


def _deviations(behaviour: Behaviour) -> int:
    """Count the fields of a behaviour that differ from their defaults."""
    return sum(value != usual for value, usual in _fields(behaviour)) + bool(behaviour.poison)


def _times(part: attrs.AttrsInstance) -> list[float]:
    """Return the numbers of a part that differ from their defaults."""
    return [float(value) for value, usual in _fields(part) if isinstance(value, int | float) and value != usual]


def _fields(part: attrs.AttrsInstance) -> list[tuple[object, object]]:
    """Return the value and the default of each field that holds one thing; the number of messages counts apart."""
    kept = [field for field in attrs.fields(type(part)) if field.name not in {"count", "poison"}]
    return [(getattr(part, field.name), field.default) for field in kept]

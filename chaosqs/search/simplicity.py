"""The order of scenarios by simplicity. It is a total order, so "the smallest counterexample" is well defined.

A scenario is simpler, in this order of criteria, if it has fewer faults from outside; fewer assumptions that differ
from the measured ones; a smaller seed (0 is calm); less strain on the functions; fewer poison messages; fewer messages;
fewer loads; loads at
once and from the start; behaviours nearer to the default; better known faults; rounder numbers; smaller numbers; an
earlier text.
"""

from collections.abc import Sequence

import attrs

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.model.faults import KINDS, OK, Action, FaultPlan, Pause, Window, kind_of, step_of
from chaosqs.model.liveness import run_length
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load, Steady, arrivals

Complexity = tuple[tuple[float, ...], str]


def complexity(scenario: Scenario) -> Complexity:
    """Return the sort key of scenarios of one design; a simpler scenario has a smaller key."""
    workload, behaviours = scenario.workload, tuple(scenario.behaviours.values())
    times = [value for part in (*workload, *behaviours, *_timed(scenario.faults)) for value in _times(part)]
    times.extend(_steps(scenario.faults))
    figures = (
        _faults(scenario.faults),
        sum(value != usual for value, usual in _fields(scenario.assumptions)),
        scenario.seed,
        sum(strain(scenario.design, name, behaviour) for name, behaviour in scenario.behaviours.items()),
        _odd(workload),
        len(arrivals(workload)),
        len(workload),
        sum(len(load.messages) for load in workload),
        sum(_oddities(load) for load in workload),
        sum(_deviations(behaviour) for behaviour in behaviours),
        _unfamiliarity(scenario.faults),
        sum(len(f"{value:g}") for value in times),
        sum(times),
    )
    return figures, repr(scenario)


def _odd(workload: Sequence[Load]) -> int:
    """Count the poison messages that are sent."""
    if not any(message.note for load in workload for message in load.messages):
        return 0
    return sum(arrival.message is not None and bool(arrival.message.note) for arrival in arrivals(workload))


def _unfamiliarity(plan: FaultPlan) -> int:
    """Return the sum of the positions of a plan's faults in the catalogue, which begins with the best known faults."""
    kinds = [*plan.sends, *(kind for receives in plan.messages for kind in receives), *(w.kind for w in plan.windows)]
    found = [known for kind in kinds if (known := kind_of(kind)) is not None]
    return sum(KINDS.index(kind) for kind in found)


def _steps(plan: FaultPlan) -> list[float]:
    """Return the calls and waits of real code at which a plan's faults are injected, if they are named."""
    kinds = [*(kind for receives in plan.messages for kind in receives), *(window.kind for window in plan.windows)]
    return [float(step) for kind in kinds if (step := step_of(kind))]


def _timed(plan: FaultPlan) -> tuple[Window | Action | Pause, ...]:
    """Return the parts of a plan that have numbers."""
    return (*plan.windows, *plan.actions, *plan.pauses)


HEALTHY, ON_THE_EDGE, FAILING = 0, 1, 2
"""Degrees of the strain on a function."""


def strain(design: Design, function: str, behaviour: Behaviour) -> int:
    """Return the strain on a function.

    A function is failing if it has errors or its usual duration reaches its timeout. It is on the edge if the duration
    falls into the last second of the timeout (the last half of a timeout of 1 second). Otherwise it is healthy.
    """
    largest = max((mapping.batch_size for mapping in design.mappings_of(function)), default=1)
    timeout = design.function(function).timeout
    usual = behaviour.seconds_per_batch + behaviour.seconds_per_message * largest
    if behaviour.error_rate or behaviour.poison or usual >= timeout:
        return FAILING
    return ON_THE_EDGE if usual > timeout - min(1, timeout / 2) else HEALTHY


def ending(scenario: Scenario) -> Scenario:
    """Return the scenario with the run length that fits its current contents."""
    until = run_length(scenario.design, scenario.workload, scenario.behaviours, scenario.faults, scenario.assumptions)
    return attrs.evolve(scenario, until=until)


def _faults(plan: FaultPlan) -> int:
    """Count all entries of a plan: faults, windows, actions, pauses, banned kinds, and healing."""
    single = sum(kind != OK for receives in (*plan.messages, plan.sends) for kind in receives)
    healing = plan.heal_at is not None
    return single + len(plan.windows) + len(plan.banned) + len(plan.actions) + len(plan.pauses) + healing


def _oddities(load: Load) -> int:
    """Count the ways in which a load differs from a burst at once, from the start, with bodies of the default size."""
    spread = isinstance(load, Steady) or load.over != 0
    return isinstance(load, Steady) + spread + (load.at != 0) + (load.body_bytes != Burst("", 0).body_bytes)


def _deviations(behaviour: Behaviour) -> int:
    """Count the fields of a behaviour that differ from their defaults."""
    return sum(value != usual for value, usual in _fields(behaviour)) + bool(behaviour.poison)


def _times(part: attrs.AttrsInstance) -> list[float]:
    """Return the numbers of a part that differ from their defaults."""
    return [float(value) for value, usual in _fields(part) if isinstance(value, int | float) and value != usual]


_COUNTED = ("count", "poison", "messages", "distinct")


def _fields(part: attrs.AttrsInstance) -> list[tuple[object, object]]:
    """Return value and default of each field, except those that are counted separately."""
    kept = [field for field in attrs.fields(type(part)) if field.name not in _COUNTED]
    return [(getattr(part, field.name), field.default) for field in kept]

"""Whole scenarios: all that decides a run is drawn before it begins, one field of the scenario one part of the draw."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.model.fault import KIND_NAMES, FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Load, arrivals
from chaosqs.strategies.behaviours import behaviours
from chaosqs.strategies.faults import fault_plans
from chaosqs.strategies.workloads import workloads

_CYCLES = 10
_SLACK = 2
_MOST_LUCK = 255


def scenarios(
    design: Design | SearchStrategy[Design],
    *,
    queue: str | None = None,
    behaviours: Mapping[str, Behaviour] | None = None,
    messages: int = 60,
    faults: bool = True,
    failing: bool = True,
) -> SearchStrategy[Scenario]:
    """Return a strategy for scenarios of a design, or of the designs of a strategy.

    `queue`: the queue that always gets a load; None: any that is polled. `behaviours`: by function name, those that
    are given; the others are drawn. `messages`: as for `workloads`. `faults`: whether anything may go wrong from
    outside. `failing`: whether drawn behaviours may fail. Each run ends at `horizon` at the latest. The simplest
    scenario is calm: one message, no fault, luck 0. Raises ValueError as `workloads` does, and for behaviours of a
    function that the design does not have.
    """
    given = dict(behaviours or {})
    if isinstance(design, Design):
        return _of_design(design, queue, given, messages, faults=faults, failing=failing)
    return design.flatmap(lambda drawn: _of_design(drawn, queue, given, messages, faults=faults, failing=failing))


def _of_design(
    design: Design, queue: str | None, given: Mapping[str, Behaviour], messages: int, *, faults: bool, failing: bool
) -> SearchStrategy[Scenario]:
    names = [function.name for function in design.functions]
    unknown = [name for name in given if name not in names]
    if unknown:
        raise ValueError(f"no function is called {', '.join(map(repr, unknown))}: the design has {', '.join(names)}")
    return st.builds(
        _scenario,
        design=st.just(design),
        workload=workloads(design, queue=queue, messages=messages),
        behaviours=st.fixed_dictionaries({name: _behaviours(design, name, given, failing=failing) for name in names}),
        faults=fault_plans(design, kinds=KIND_NAMES if faults else ()),
        luck=st.integers(0, _MOST_LUCK),
    )


def _behaviours(
    design: Design, name: str, given: Mapping[str, Behaviour], *, failing: bool
) -> SearchStrategy[Behaviour]:
    if name in given:
        return st.just(given[name])
    batch_size = max((mapping.batch_size for mapping in design.mappings_of(name)), default=1)
    return behaviours(design.function(name), batch_size=batch_size, failing=failing)


def _scenario(
    *, design: Design, workload: tuple[Load, ...], behaviours: Mapping[str, Behaviour], faults: FaultPlan, luck: int
) -> Scenario:
    """Make a scenario without the behaviours that say nothing, and with an end."""
    telling = {name: behaviour for name, behaviour in behaviours.items() if behaviour != Behaviour()}
    until = horizon(design, workload, telling)
    return Scenario(design, workload, telling, faults, luck, until)


def horizon(design: Design, workload: tuple[Load, ...], behaviours: Mapping[str, Behaviour]) -> int:
    """Return when a run may end, in whole seconds: all that can happen has had the time to happen, often.

    After the last arrival it leaves 10 visibility timeouts (more where a message has more deliveries than that, up
    to 100), and twice the time in which each function would handle all messages one batch a message.
    """
    sent = arrivals(workload)
    last = sent[-1].at / 1000 if sent else 0
    visibility = max((queue.visibility_timeout for queue in design.queues), default=0)
    deliveries = [queue.redrive.max_receive_count + 2 for queue in design.queues if queue.redrive is not None]
    cycles = min(100, max((_CYCLES, *deliveries)))
    drain = max((_drain(design, function.name, behaviours, len(sent)) for function in design.functions), default=0)
    delay = max((queue.delay for queue in design.queues), default=0)
    return ceil(last + delay + cycles * max(visibility, 1) + _SLACK * drain)


def _drain(design: Design, name: str, behaviours: Mapping[str, Behaviour], messages: int) -> float:
    """Return the seconds that a function needs for so many messages one by one, at its concurrency."""
    behaviour = behaviours.get(name) or Behaviour()
    each = min(behaviour.seconds_per_batch + behaviour.seconds_per_message, design.function(name).timeout)
    return messages * each / max(1, design.concurrency_limit(name))

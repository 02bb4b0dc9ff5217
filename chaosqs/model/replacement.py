"""What an alternative replaces in a scenario: the mappings of its function, and the queues of which it takes over."""

from __future__ import annotations

import attrs

from chaosqs.model.alternative import Alternative, SelfPolling, check_alternative
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.fault import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.values import Checks


def replaced(design: Design, alternative: Alternative) -> tuple[EventSourceMapping, ...]:
    """Return the mappings that an alternative takes the place of."""
    return design.mappings_of(alternative.function)


def taken_over(design: Design, alternative: Alternative) -> tuple[str, ...]:
    """Return the queues whose messages go to the alternative instead; none where it polls its queue itself."""
    if isinstance(alternative, SelfPolling):
        return ()
    return tuple(dict.fromkeys(mapping.queue for mapping in replaced(design, alternative)))


def with_replacement(scenario: Scenario, alternative: Alternative) -> Scenario:
    """Return the scenario without the mappings that an alternative takes the place of."""
    gone = replaced(scenario.design, alternative)
    mappings = [mapping for mapping in scenario.design.mappings if mapping not in gone]
    return attrs.evolve(scenario, design=attrs.evolve(scenario.design, mappings=mappings))


def check_replacement(checks: Checks, scenario: Scenario, alternative: Alternative) -> None:
    """Note what is wrong with an alternative, and why it cannot take its place in a scenario."""
    check_alternative(checks, alternative)
    functions = [function.name for function in scenario.design.functions]
    if alternative.function not in functions:
        known = ", ".join(functions) or "it has none"
        checks.refuse("function", alternative.function, f"must name a function of the design: {known}")
        return
    if isinstance(alternative, SelfPolling):
        _check_polled(checks, scenario.design, alternative)
    else:
        _check_taken_over(checks, scenario.design, alternative)
    if any(behaviour.handler is not None for behaviour in scenario.behaviours.values()):
        checks.refuse("function", alternative.function, "must stand in a scenario whose handlers are models")
    if scenario.faults != FaultPlan():
        checks.refuse("function", alternative.function, "must stand in a scenario without faults: they strike mappings")


def _check_polled(checks: Checks, design: Design, alternative: SelfPolling) -> None:
    queues = [queue.name for queue in design.queues]
    if alternative.queue not in queues:
        known = ", ".join(queues) or "it has none"
        checks.refuse("queue", alternative.queue, f"must name a queue of the design: {known}")
    others = [mapping.name for mapping in replaced(design, alternative) if mapping.queue != alternative.queue]
    if others:
        checks.refuse("function", alternative.function, f"must not be invoked by another mapping: {', '.join(others)}")


def _check_taken_over(checks: Checks, design: Design, alternative: Alternative) -> None:
    queues = taken_over(design, alternative)
    if not queues:
        checks.refuse("function", alternative.function, "must have a mapping: what its queue gets is brought to it")
    shared = [mapping.name for mapping in design.mappings if mapping.queue in queues]
    shared = [name for name in shared if name not in {mapping.name for mapping in replaced(design, alternative)}]
    if shared:
        checks.refuse("function", alternative.function, f"must not share its queue with {', '.join(shared)}")
    moved = [queue.name for queue in design.queues if queue.redrive and queue.redrive.dead_letter_queue in queues]
    if moved:
        checks.refuse("function", alternative.function, f"must not work off the dead letters of {', '.join(moved)}")

"""A scenario on another design: does what happened once happen there, too?"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from chaosqs.explorer.order import ending
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.model.scenario import Scenario


def transferred(scenario: Scenario, design: Design, behaviours: Mapping[str, Behaviour]) -> Scenario:
    """Return a scenario with another design: the same load, the same faults and luck, and the end that fits it.

    `behaviours`, by function name, are taken as given; the other functions behave as they did. Raises `InvalidScenario`
    where the scenario does not fit the design, as it names a queue or function that is not there.
    """
    names = [function.name for function in design.functions]
    behaved = {name: behaviour for name, behaviour in {**scenario.behaviours, **behaviours}.items() if name in names}
    moved = attrs.evolve(scenario, design=design, behaviours=behaved)
    return scenario if moved == scenario else ending(moved)

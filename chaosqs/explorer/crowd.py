"""What the batch size does in a crowd, which the smallest story is too small to show.

The shrinker takes messages away until batches have one or two. There any batch size may be as good, which says nothing
of the flood in which the same design fails, too: a batch keeps an execution for as long as its messages take together.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from chaosqs.explorer.lattice import Lattice
from chaosqs.explorer.oracle import Oracle
from chaosqs.explorer.order import ending
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.counterexample import Rate
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.scenario import Scenario
from chaosqs.report.text import percent
from chaosqs.strategies.lattice import exact

_CROWD = 100
"""Messages that arrive at once."""
_FEW, _DRAWS = 5, 60
"""Draws of luck that show whether there is anything to tell, and that tell it."""


def in_a_crowd(scenario: Scenario, mapping: EventSourceMapping, oracle: Oracle, given: Mapping[str, Behaviour]) -> str:
    """Return how much more often the invariant holds without batches, in a crowd; empty where that makes no difference.

    Under the faults of the scenario. A full batch takes a second less than the function's timeout, unless the
    function's behaviour is `given`.
    """
    function = scenario.design.function(mapping.function)
    patient = Behaviour(seconds_per_message=exact((function.timeout - 1) / mapping.batch_size))
    lattice = Lattice(scenario.design, mapping.queue, {function.name: patient, **given})
    world = attrs.evolve(lattice.sudden_worlds(_CROWD)[0], faults=scenario.faults)
    if mapping.batch_size == 1 or not _rate(world, oracle, _FEW).violated:
        return ""
    now = _rate(world, oracle, _DRAWS)
    single = _rate(attrs.evolve(world, design=_without_batches(world.design, mapping)), oracle, _DRAWS)
    if single.interval()[1] >= now.interval()[0]:
        return ""
    return f"holds in {_holds(now)} of draws with {_CROWD} messages at once, in {_holds(single)} with 1"


def _rate(world: Scenario, oracle: Oracle, draws: int) -> Rate:
    worlds = [ending(attrs.evolve(world, luck=luck)) for luck in range(draws)]
    return Rate(sum(oracle.violated(drawn) for drawn in worlds), draws)


def _without_batches(design: Design, mapping: EventSourceMapping) -> Design:
    others = [attrs.evolve(each, batch_size=1) if each == mapping else each for each in design.mappings]
    return attrs.evolve(design, mappings=tuple(others))


def _holds(rate: Rate) -> str:
    return f"{percent(1 - rate.violated / rate.of)} %"

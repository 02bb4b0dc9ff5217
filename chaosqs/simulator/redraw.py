"""One history with many futures: a run whose chance is another one from some moment on.

Chance is a hash of luck, site and keys, never a stream. So with another luck from a moment on, everything that was
drawn by then stays, byte for byte, and everything after it is drawn anew. What had been drawn by then for later (how
long a running invocation takes, when a throttled batch is tried next) is history too.
"""

from __future__ import annotations

from functools import partial

from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.simulator.module_state import unchanged
from chaosqs.simulator.run import World


def redrawn(scenario: Scenario, until: int, luck: int) -> History:
    """Simulate a scenario that keeps its own luck up to a moment in milliseconds, this included, then has another."""
    world = World.of(scenario)
    world.agenda.first_at(until + 1, partial(_turn, world, luck))
    with unchanged(scenario):
        return world.run()


def _turn(world: World, luck: int) -> None:
    world.service.luck.seed = luck  # the one that all parts of the world share
    world.agenda.reseed(luck)

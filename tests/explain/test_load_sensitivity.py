"""A large load shows effects of the batch size for which the smallest story is too small."""

import attrs

from chaosqs.explain.explain import load_sensitivity
from chaosqs.invariants import NO_DEAD_LETTERING_BY_THROTTLING
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.model.explanation import Evidence, LoadSensitivity
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.search.corpus import ScenarioGrid
from chaosqs.search.oracle import Oracle
from tests.search.designs import SOUND, over_polling


def found(design: Design, given: Behaviour | None = None) -> tuple[LoadSensitivity | None, int]:
    """Return what is found of a design, and after how many simulations."""
    oracle = Oracle(NO_DEAD_LETTERING_BY_THROTTLING, "orders")
    grid = ScenarioGrid(design, "orders", {} if given is None else {"worker": given})
    scenario = Scenario(design, [Burst("orders", 1)])
    return load_sensitivity(scenario, design.mappings[0], oracle, grid), oracle.simulations


def test_batches_of_slow_messages_are_what_throttles_a_large_load() -> None:
    """A batch of ten keeps its execution ten times as long as one message: the shares are those of 60 draws each."""
    load, simulations = found(over_polling())
    assert load == LoadSensitivity(100, Evidence(60, 60, "load"), 1, Evidence(14, 60, "load"))
    assert simulations == 120


def test_nothing_is_found_where_the_batch_size_makes_no_difference() -> None:
    """Where the design holds, where batches have one message already, and where each batch takes as long."""
    single = attrs.evolve(over_polling().mappings[0], batch_size=1)
    assert found(SOUND) == (None, 5)
    assert found(attrs.evolve(over_polling(), mappings=(single,))) == (None, 0)
    assert found(over_polling(), Behaviour(seconds_per_batch=29))[0] is None

"""Shrinking where neither a calm scenario nor one with one kind of fault shows the violation."""

from __future__ import annotations

import attrs

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.search.oracle import Oracle
from chaosqs.search.shrink import shrink
from tests.search.designs import ROOMY, invariant, never_slow


def test_a_violation_by_chance_goes_downhill() -> None:
    """Seed weighs more than messages: it gets small first, and then the messages become as few as it allows."""
    varying = {"worker": Behaviour(seconds_per_batch=1, spread=0.5)}
    found = Scenario(ROOMY, [Burst("orders", 20, at=5, over=60)], varying, seed=200)
    oracle = Oracle(invariant(never_slow), "orders")
    assert oracle.violated(found)
    smallest = shrink(found, oracle, given=varying)
    assert 0 < smallest.seed < 32
    (load,) = smallest.workload
    assert isinstance(load, Burst)
    assert (load.count < 20, load.at) == (True, 0)
    fewer = attrs.evolve(smallest, workload=[attrs.evolve(load, count=load.count - 1)])
    assert not oracle.violated(fewer)

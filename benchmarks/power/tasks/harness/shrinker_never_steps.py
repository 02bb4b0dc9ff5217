"""The shrinker takes no step downhill, so faults and messages stay that nobody needs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from benchmarks.power.harness import harness_mutant
from benchmarks.power.mutation import Mutation
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.scenario import Scenario
from chaosqs.search.oracle import Oracle


def _downhill(scenario: Scenario, _oracle: Oracle, _given: Mapping[str, Behaviour], _simulations: int) -> Scenario:
    return scenario


TASK = harness_mutant(
    name="shrinker-never-steps",
    why="The shrinker takes no step downhill, so faults and messages stay that nobody needs.",
    switch=Mutation(import_module("chaosqs.search.shrink"), "_downhill", _downhill),
    self_test="tests/search/test_downhill.py",
)

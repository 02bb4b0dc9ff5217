"""The shrinker takes the first world it looks at, whether that violates anything or not."""

from __future__ import annotations

from importlib import import_module

from benchmarks.power.harness import harness_mutant
from benchmarks.power.mutation import Mutation
from chaosqs.model.scenario import Scenario
from chaosqs.search.oracle import Oracle


def _violating(_oracle: Oracle, variants: list[Scenario], _limit: int) -> Scenario | None:
    return variants[0] if variants else None


TASK = harness_mutant(
    name="shrinker-believes-the-first-world",
    why="The shrinker takes the first world it looks at, whether that violates anything or not.",
    switch=Mutation(import_module("chaosqs.search.shrink"), "_violating", _violating),
    self_test="tests/search/test_shrink.py::test_faults_shrink_to_one",
)

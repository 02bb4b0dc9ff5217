"""Faults go on striking after the moment at which the plan heals."""

from __future__ import annotations

from benchmarks.power.harness import harness_mutant
from benchmarks.power.mutation import Mutation
from chaosqs.faults.injector import FaultInjector


def _is_healed(_self: FaultInjector, _now: int) -> bool:
    return False


TASK = harness_mutant(
    name="healing-forgotten",
    why="Faults go on striking after the moment at which the plan heals.",
    switch=Mutation(FaultInjector, "_is_healed", _is_healed),
    self_test="tests/faults/test_faults.py",
)

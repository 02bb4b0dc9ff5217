"""The liveness check waits for half the time that the design may need."""

from __future__ import annotations

from benchmarks.power.harness import harness_mutant
from benchmarks.power.mutation import Mutation
from chaosqs.invariants import drains_after_healing
from chaosqs.model.liveness import liveness_deadline


def _horizon(*arguments: object) -> int:
    return liveness_deadline(*arguments) // 2  # type: ignore[arg-type]


TASK = harness_mutant(
    name="liveness-bound-too-short",
    why="The liveness check waits for half the time that the design may need.",
    switch=Mutation(drains_after_healing, "liveness deadline", _horizon),
    self_test="tests/invariants/test_drains_after_healing.py",
)

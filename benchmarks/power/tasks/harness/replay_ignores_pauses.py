"""A replay takes no notice of the pauses of its plan."""

from __future__ import annotations

from benchmarks.power.harness import harness_mutant
from benchmarks.power.mutation import Mutation
from chaosqs.kernel.schedule import Pauses


def _hold(_self: Pauses, _task: str, _step: int, _taken: int) -> int:
    return 0


TASK = harness_mutant(
    name="replay-ignores-pauses",
    why="A replay takes no notice of the pauses of its plan.",
    switch=Mutation(Pauses, "hold", _hold),
    self_test="tests/search/test_schedules.py::test_what_a_policy_did_replays_as_pauses",
)

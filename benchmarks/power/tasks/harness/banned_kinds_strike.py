"""A fault kind that a plan bans strikes all the same."""

from __future__ import annotations

from benchmarks.power.harness import harness_mutant
from benchmarks.power.mutation import Mutation
from chaosqs.model.faults import OK, FaultPlan


def _outcome(self: FaultPlan, message: int, receive: int) -> str:
    receives = self.messages[message] if message < len(self.messages) else ()
    return receives[receive - 1] if receive <= len(receives) else OK


TASK = harness_mutant(
    name="banned-kinds-strike",
    why="A fault kind that a plan bans strikes all the same.",
    switch=Mutation(FaultPlan, "outcome", _outcome),
    self_test="tests/model/test_faults.py::test_banned_kind_is_as_good_as_absent",
)

"""The digest of a history leaves out when things happened, so two different runs pass for one."""

from __future__ import annotations

from benchmarks.power.harness import harness_mutant
from benchmarks.power.mutation import Mutation
from chaosqs.model.history import History


def _digest(self: History) -> str:
    names = [type(event).__name__ for event in self.events]
    return f"{names} {self.ended_at_ms} {self.drained_at_ms}"


TASK = harness_mutant(
    name="digest-ignores-time",
    why="The digest of a history leaves out when things happened, so two different runs pass for one.",
    switch=Mutation(History, "digest", property(_digest)),
    self_test="tests/model/test_digest.py",
)

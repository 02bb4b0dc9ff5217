"""A tally calls a promise kept although no case could have broken it."""

from __future__ import annotations

from benchmarks.power.harness import harness_mutant
from benchmarks.power.mutation import Mutation
from chaosqs.model.verdict import Status, Verdict
from chaosqs.search.finding import Tally

_verdict = Tally.verdict


def _holding(self: Tally, invariant: str) -> Verdict:
    found = _verdict(self, invariant)
    idle = found.status is Status.NOT_EXERCISED
    return Verdict(invariant, Status.HOLDS) if idle else found


TASK = harness_mutant(
    name="never-exercised-holds",
    why="A tally calls a promise kept although no case could have broken it.",
    switch=Mutation(Tally, "verdict", _holding),
    self_test="tests/search/test_tally.py",
)

"""Violations about messages of other queues count for this mapping."""

from __future__ import annotations

from benchmarks.power.harness import harness_mutant
from benchmarks.power.mutation import Mutation
from chaosqs.model.verdict import Verdict
from chaosqs.search import oracle


def _attributed(verdict: Verdict, _queue: str | None) -> Verdict:
    return verdict


TASK = harness_mutant(
    name="neighbours-are-blamed",
    why="Violations about messages of other queues count for this mapping.",
    switch=Mutation(oracle, "attributed", _attributed),
    self_test="tests/search/test_search.py::test_only_violations_of_the_mapping_count",
)

"""The order of scenarios does not count faults, so a story with one passes for as calm as one without."""

from __future__ import annotations

from benchmarks.power.harness import harness_mutant
from benchmarks.power.mutation import Mutation
from chaosqs.model.faults import FaultPlan
from chaosqs.search import simplicity


def _faults(_plan: FaultPlan) -> int:
    return 0


TASK = harness_mutant(
    name="faults-weigh-nothing",
    why="The order of scenarios does not count faults, so a story with one passes for as calm as one without.",
    switch=Mutation(simplicity, "_faults", _faults),
    self_test="tests/search/test_shrink.py::test_the_order_is_the_one_that_is_stated",
)

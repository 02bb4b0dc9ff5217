"""An explanation calls each fault of a plan needed, without trying to leave it out."""

from __future__ import annotations

from importlib import import_module

from benchmarks.power.harness import harness_mutant
from benchmarks.power.mutation import Mutation
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.search.oracle import Oracle


def _holds_with(_scenario: Scenario, _plan: FaultPlan, _oracle: Oracle) -> bool:
    return True


TASK = harness_mutant(
    name="every-fault-is-needed",
    why="An explanation calls each fault of a plan needed, without trying to leave it out.",
    switch=Mutation(import_module("chaosqs.explain.explain"), "_holds_with", _holds_with),
    self_test="tests/explain/test_explain.py::test_faults_that_do_not_matter_are_left_out",
)

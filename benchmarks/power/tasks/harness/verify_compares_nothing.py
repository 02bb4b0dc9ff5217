"""`verify` runs a scenario twice and does not look at the difference."""

from __future__ import annotations

from benchmarks.power.harness import harness_mutant
from benchmarks.power.mutation import Mutation
from chaosqs.model.history import History
from chaosqs.simulation import run


def _compare(_first: History, _second: History) -> None:
    return


TASK = harness_mutant(
    name="verify-compares-nothing",
    why="`verify` runs a scenario twice and does not look at the difference.",
    switch=Mutation(run, "_compare", _compare),
    self_test="tests/simulation/test_handlers_escapes.py::test_a_module_that_remembers_the_run_before_is_not_deterministic",
)

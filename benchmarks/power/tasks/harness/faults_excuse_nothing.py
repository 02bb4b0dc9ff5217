"""A fault from outside excuses no second delivery, so sound designs are accused."""

from __future__ import annotations

from benchmarks.power.harness import harness_mutant
from benchmarks.power.mutation import Mutation
from chaosqs.invariants import no_second_processing
from chaosqs.model.delivery import Delivery
from chaosqs.model.history import History


def _excuse(_history: History, _first: Delivery, _second: Delivery) -> str:
    return ""


TASK = harness_mutant(
    name="faults-excuse-nothing",
    why="A fault from outside excuses no second delivery, so sound designs are accused.",
    switch=Mutation(no_second_processing, "excuse", _excuse),
    self_test="tests/invariants/test_no_second_processing.py::test_faults_excuse",
)

"""Does exhaustion find what takes a certain number of faults, with that number? And is what it proves still so?"""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from benchmarks.power.tasks import tasks
from chaosqs import invariants
from chaosqs.model.scenario import Scenario
from chaosqs.project.discovery import read_source
from chaosqs.project.exhaust import exhaust

EXAMPLES = Path(__file__).parents[2] / "examples"
KNOWN = {task.name: task for task in tasks("mutant")}
SHORTEST = {
    "success-not-deleted": 0,
    "batch-lost-without-answer": 1,
    "failed-receive-counts": 1,
    "fifo-copy-accepted": 1,
    "group-never-unblocks": 1,
    "slot-leaked-on-error": 1,
    "poller-gone-after-service-error": 2,
    "provisioned-environment-lost": 2,
}
"""How many faults it takes to see a mutant of the fake."""


@pytest.mark.parametrize("name", SHORTEST)
def test_the_shortest_counterexample_is_found(name: str) -> None:
    """It is the minimum that the benchmark knows, and with fewer faults nothing shows the mutant."""
    task = KNOWN[name]
    assert task.smallest is not None
    with task.switch():
        done = exhaust(
            task.design,
            task.mapping,
            invariants=[invariants.by_name(task.invariant)],
            behaviours=task.behaviours,
            faults=3,
        )
    (found,) = done.findings
    assert found.scenario is not None, f"not found: {task.why}"
    assert without_end(found.scenario) == without_end(task.smallest)
    assert done.complete == SHORTEST[name] - 1


def without_end(scenario: Scenario) -> Scenario:
    return attrs.evolve(scenario, until=None)


def test_a_mutant_that_takes_two_faults_passes_with_one() -> None:
    """A proof is about its bound, and says so."""
    task = KNOWN["poller-gone-after-service-error"]
    with task.switch():
        done = exhaust(task.design, invariants=[invariants.by_name(task.invariant)], faults=1)
    assert done.proven
    assert (done.bound.depth, done.complete) == (1, 1)


@pytest.mark.deep
def test_what_the_fixed_example_is_proven_to_keep() -> None:
    """As `docs/exhaustion.md` shows it: no placement of two faults on two messages breaks any promise."""
    design = read_source("over-polling-fixed/template.yaml", base=EXAMPLES, root=EXAMPLES).design
    done = exhaust(design)
    assert done.proven
    assert (done.runs, done.histories, done.equivalent, done.complete) == (1950, 1677, 1652, 2)

"""Mutants of the fake: each is off unless it is switched on, changes histories, and is seen by its invariant."""

from __future__ import annotations

import attrs
import pytest

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from benchmarks.power.tasks import tasks
from chaosqs.invariants import by_name
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.model.workload import Burst
from chaosqs.search.drawing import draws
from chaosqs.search.profiles import CI
from chaosqs.search.run import InvariantSearch
from chaosqs.search.search import searched
from chaosqs.simulation.run import simulate
from chaosqs.strategies import scenarios

MUTANTS = {task.name: task for task in tasks("mutant")}
CANARIES = (
    "batch-over-its-size",
    "delay-ignored",
    "failure-list-ignored",
    "filter-matches-everything",
    "group-order-swapped",
    "redrive-loses-the-message",
    "reservation-shared",
    "success-not-deleted",
)
"""One mutant for each family of invariants: batches, the books, answers, filters, order, loss, limits, liveness."""
LOADS = {
    "gathered-batch-lost-on-disable": (Burst("orders", 1), FaultPlan(windows=[Window("disabled", "", 1, 5)])),
    "payload-cut-ignored": (Burst("orders", 250, body_bytes=262_144), FaultPlan()),
}
"""What shows mutants that change too few histories for a few draws to do so."""
MOST_DRAWN, MOST_SEARCHED = 60, 4_000
UNTIL = 3_600


def mutation(task: Task) -> Mutation:
    assert isinstance(task.switch, Mutation)
    return task.switch


def telling(task: Task) -> list[Scenario]:
    """Return the smallest scenario of a task, the one that is made for it, or some that are drawn."""
    if task.smallest is not None:
        return [attrs.evolve(task.smallest, until=UNTIL)]
    if task.name in LOADS:
        load, faults = LOADS[task.name]
        return [Scenario(task.design, [load], task.behaviours, faults, until=UNTIL)]
    queue = task.mapping.partition("→")[0]
    return draws(scenarios(task.design, queue=queue, behaviours=task.behaviours), MOST_DRAWN)


def tried(task: Task, most: int) -> InvariantSearch:
    """Return what a search finds, without shrinking it."""
    sought = (by_name(task.invariant),)
    search_run = searched(task.design, task.mapping, sought, behaviours=task.behaviours, max_examples=most).search_run
    assert search_run is not None
    return search_run.searches[0]


def raise_with(mutant: Mutation) -> None:
    with mutant():
        assert mutant.present() is mutant.defect
        raise KeyError


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_gone_when_its_switch_is_off_again(name: str) -> None:
    """The method or constant is the right one before, the defect meanwhile, and the very same right one afterwards."""
    mutant = mutation(MUTANTS[name])
    right = mutant.present()
    assert right is not mutant.defect
    with pytest.raises(KeyError):
        raise_with(mutant)
    assert mutant.present() is right


@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_changes_histories(name: str) -> None:
    """Some scenario of its design has another history with the mutant."""
    task = MUTANTS[name]
    assert any(mutation(task).triggered(scenario) for scenario in telling(task))


@pytest.mark.parametrize("name", [name for name, task in MUTANTS.items() if task.smallest is not None])
def test_smallest_scenario_of_a_mutant_shows_it(name: str) -> None:
    """The invariant is violated in the known minimum with the mutant, and not without it."""
    task = MUTANTS[name]
    assert task.smallest is not None
    scenario, judge = attrs.evolve(task.smallest, until=UNTIL), by_name(task.invariant).judge
    assert judge(simulate(scenario)).status is not Status.VIOLATED
    with task.switch():
        assert judge(simulate(scenario)).status is Status.VIOLATED


@pytest.mark.parametrize("name", CANARIES)
def test_canary_is_seen_by_its_invariant(name: str) -> None:
    """The usual budget suffices to find the mutant of each family of invariants."""
    task = MUTANTS[name]
    with task.switch():
        assert not tried(task, CI.max_examples).open


@pytest.mark.deep
@pytest.mark.parametrize("name", MUTANTS)
def test_mutant_is_seen_by_its_invariant(name: str) -> None:
    """The invariant is violated with the mutant, and without it holds in the cases of the usual budget."""
    task = MUTANTS[name]
    right = tried(task, CI.max_examples)
    assert right.open
    assert right.tally.verdict(task.invariant).status is Status.HOLDS
    with task.switch():
        assert not tried(task, MOST_SEARCHED).open

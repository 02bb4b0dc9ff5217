"""Designs that follow AWS's advice keep every promise, whatever strikes them: the search raises no false alarm."""

from __future__ import annotations

import attrs
import pytest

from chaosqs.invariants import DEFAULT
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.search.profiles import CI
from chaosqs.search.run import SearchRun, budgeted, searched_run
from chaosqs.search.simplicity import HEALTHY, ending, strain
from chaosqs.strategies import designs, scenarios

CHUNKS, SCENARIOS = 50, 1_000


def healthy(scenario: Scenario) -> Scenario:
    """Return the scenario with functions that keep a second or more below their timeout.

    On the edge one timeout leads to the next, as the initialisation after it counts (LX-14).
    """
    kept = {
        name: behaviour
        for name, behaviour in scenario.behaviours.items()
        if strain(scenario.design, name, behaviour) == HEALTHY
    }
    return ending(attrs.evolve(scenario, behaviours=kept))


def searched(*, fifo: bool, seed: int, cases: int) -> SearchRun:
    """Judge a number of scenarios of sound designs with functions that do not fail by themselves."""
    drawn = scenarios(designs(fifo=fifo, sound=True, dead_letter_queues=True), failing=False).map(healthy)
    return searched_run(drawn, DEFAULT, budgeted(CI, cases, seed))


def broken(search_run: SearchRun) -> dict[str, object]:
    return {trial.oracle.invariant.name: trial.tally.violating for trial in search_run.searches if not trial.open}


@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_sound_designs_keep_every_invariant(*, fifo: bool) -> None:
    """40 scenarios of each kind of queue, under all faults, schedules and operators: no violation."""
    search_run = searched(fifo=fifo, seed=0, cases=40)
    assert broken(search_run) == {}
    held = [trial.tally.verdict("").status for trial in search_run.searches]
    assert held.count(Status.HOLDS) >= 10, "the others are about real code or the other kind of queue"
    assert Status.INCONCLUSIVE not in held


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(CHUNKS))
@pytest.mark.parametrize("fifo", [False, True], ids=["standard", "fifo"])
def test_a_hundred_thousand_scenarios_of_sound_designs(*, fifo: bool, seed: int) -> None:
    """100 chunks of 1,000 scenarios, each with a seed of its own: no violation."""
    assert broken(searched(fifo=fifo, seed=seed + 1, cases=SCENARIOS)) == {}

"""A defect for each invariant, which the `ci` profile must find: when one survives, the search is blind there.

Those of the benchmark that are found soonest, one a family; all of them together take about 5 seconds of CPU time.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from benchmarks.power.task import Task
from benchmarks.power.tasks import tasks
from chaosqs import invariants
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.project.child import has_handlers
from chaosqs.search.profiles import CI, QUICK
from chaosqs.search.search import searched
from tests.known_bad.known_bad import NAMES, KnownBad, known_bad

SEED = 0
CANARIES = (
    "dead-letter-one-receive-early",
    "dead-letter-one-receive-late",
    "dead-letters-kept-too-short",
    "default-visibility-used",
    "delay-ignored",
    "due-messages-wait",
    "failure-list-ignored",
    "fifo-copy-accepted",
    "filter-matches-everything",
    "gives-up-at-first-throttle",
    "group-not-locked",
    "group-order-swapped",
    "maximum-concurrency-ignored",
    "poison-without-partial-responses",
    "pollers-stay",
    "redrive-loses-the-message",
    "retries-of-one-mapping-only",
    "success-not-deleted",
    "timeout-deletes",
    "visibility-not-restarted",
    "window-closes-late",
)
KNOWN = {task.name: task for task in tasks("mutant", "design mistake")}


@pytest.mark.parametrize("name", CANARIES)
def test_the_canary_is_found(name: str) -> None:
    """From one seed, with its defect on."""
    task = KNOWN[name]
    assert _found(task), f"the search no longer finds {name}: {task.why}"


@pytest.mark.parametrize("invariant", [invariant.name for invariant in invariants.ALL])
def test_each_invariant_has_a_canary(invariant: str) -> None:
    """No family goes without: where no task breaks an invariant, a search breaks it on the design of its fixture."""
    if invariant not in {KNOWN[name].invariant for name in CANARIES}:
        fixtures = [fixture for fixture in map(known_bad, NAMES) if fixture.breaks == invariant]
        assert any(_breaks(fixture) for fixture in fixtures), f"no search breaks {invariant}"


def _breaks(fixture: KnownBad) -> bool:
    scenario = fixture.bad_history().scenario
    real = {name: known for name, known in scenario.behaviours.items() if known.handler is not None}
    mappings = [mapping.name for mapping in scenario.design.mappings]
    return any(_violated(scenario.design, mapping, fixture.breaks, real) for mapping in mappings)


def _found(task: Task) -> bool:
    with task.switch():
        return _violated(task.design, task.mapping, task.invariant, task.behaviours)


def _violated(design: Design, mapping: str, invariant: str, behaviours: Mapping[str, Behaviour]) -> bool:
    """Search; what is found is not shrunk, which would take most of the time.

    Real code has the cases of `quick`: all of them are drawn before the first one runs.
    """
    asked, profile = (invariants.by_name(invariant),), QUICK if has_handlers(behaviours) else CI
    search = searched(design, mapping, asked, behaviours=behaviours, profile=profile, seed=SEED)
    return search.search_run is not None and not search.search_run.searches[0].open

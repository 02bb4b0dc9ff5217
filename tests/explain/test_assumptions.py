"""Verdicts that depend on assumptions about AWS, and searches that vary the assumptions."""

from __future__ import annotations

import attrs
import pytest

from chaosqs.explain.explain import hanging
from chaosqs.explain.trials import Trials
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.explanation import AssumptionVerdict, Explanation
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Verdict, Violation
from chaosqs.model.workload import Burst
from chaosqs.project import exploration
from chaosqs.project.exploration import Exploration, explore
from chaosqs.search.corpus import ScenarioGrid
from chaosqs.search.oracle import Oracle
from chaosqs.search.profiles import QUICK
from tests.search.designs import ROOMY, invariant, promise


def cold_starts_are_short(history: History) -> Verdict:
    """Promise what only a guess about AWS decides."""
    long = history.scenario.assumptions.cold_start > 5_000
    return promise(
        "cold-starts-are-short", [Violation("cold-starts-are-short", "Long.", 0, "", (), ())] if long else []
    )


INVARIANT = invariant(cold_starts_are_short)
LONG = Scenario(ROOMY, [Burst("orders", 1)], assumptions=Assumptions(cold_start=8_000))


def trials(scenario: Scenario, oracle: Oracle) -> Trials:
    return Trials(oracle, scenario, ScenarioGrid(scenario.design, "orders"), 10, 20)


def test_an_assumption_that_decides_is_named_with_where_it_would_hold() -> None:
    """Each is tried at both ends of its range, and no other counts."""
    assert hanging(trials(LONG, Oracle(INVARIANT, None))) == (
        AssumptionVerdict("cold_start", 0, "holds"),
        AssumptionVerdict("cold_start", 10_000, "violated"),
    )


def test_each_violating_scenario_must_hold() -> None:
    """One in which the violation stays is enough to clear an assumption: here that of twice the load."""

    def two_are_too_many(history: History) -> Verdict:
        if len(history.scenario.workload) == 1 and history.scenario.workload[0] == Burst("orders", 2):
            return promise("two", [Violation("two", "Two.", 0, "", (), ())])
        return cold_starts_are_short(history)

    oracle = Oracle(invariant(two_are_too_many), None)
    assert hanging(trials(LONG, oracle)) == ()


def explored(monkeypatch: pytest.MonkeyPatch, *, vary: bool) -> Exploration:
    """Explore, and leave out what takes long and is not in question: the explanation."""

    def explain(*_: object, **__: object) -> Explanation:
        return Explanation()

    monkeypatch.setattr(exploration, "explain", explain)
    brief = attrs.evolve(QUICK, shrink_simulations=300)
    return explore(ROOMY, invariants=(INVARIANT,), profile=brief, seed=1, vary_assumptions=vary)


def test_the_search_varies_assumptions_where_it_is_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then a violation that needs one is found, in a calm world with that one alone."""
    (found,) = explored(monkeypatch, vary=True).counterexamples
    assert found.scenario.assumptions == Assumptions(cold_start=10_000)
    assert found.scenario.faults == FaultPlan()


def test_otherwise_they_stay_as_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is found that only a guess brings about."""
    assert explored(monkeypatch, vary=False).counterexamples == ()


def test_a_violation_that_no_assumption_decides_hangs_on_none() -> None:
    """What any assumption leaves violated has nothing to name."""
    always = Oracle(invariant(lambda _: promise("always", [Violation("always", "So.", 0, "", (), ())])), None)
    assert hanging(trials(LONG, always)) == ()

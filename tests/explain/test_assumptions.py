"""Verdicts that depend on assumptions about AWS, sets of them that all fit, and searches that vary the assumptions."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest

from chaosqs.explain.explain import explain, hanging, judged
from chaosqs.explain.thresholds import premises
from chaosqs.explain.trials import Trials
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.explanation import AssumptionRate, AssumptionVerdict, Ensemble, Evidence, Explanation
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict, Violation
from chaosqs.model.workload import Burst, arrivals
from chaosqs.project import exploration
from chaosqs.project.exploration import Exploration, explore
from chaosqs.search.corpus import ScenarioGrid
from chaosqs.search.oracle import Oracle
from chaosqs.search.profiles import QUICK
from chaosqs.search.simplicity import ending
from chaosqs.simulation.run import simulate
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


# Assumption sets that all fit ----------------------------------------------------------------------------------------

SHORT = Scenario(ROOMY, [Burst("orders", 1)])
USUAL, SMALL, LARGE = Assumptions(), Assumptions(held_batches=5), Assumptions(held_batches=12, long_poll=15_000)
ENSEMBLE = (USUAL, SMALL, LARGE)


def broken_if(condition: Callable[[Scenario], bool]) -> Oracle:
    """Return the oracle of a promise that the runs of certain scenarios break."""

    def judge(history: History) -> Verdict:
        found = [Violation("judge", "So.", 0, "orders", (), ())] if condition(history.scenario) else []
        return promise("judge", found)

    return Oracle(invariant(judge), "orders")


def over_sets(
    condition: Callable[[Scenario], bool],
    *,
    own: Assumptions = USUAL,
    ensemble: tuple[Assumptions, ...] = ENSEMBLE,
    limit: int | None = None,
) -> Ensemble:
    """Return the verdict over sets on a promise that certain runs break, from 40 seeds."""
    scenario, oracle = attrs.evolve(SHORT, assumptions=own), broken_if(condition)
    others = tuple(each for each in ensemble if each != own)
    few = Trials(oracle, scenario, ScenarioGrid(ROOMY, "orders"), 12, 24, others)
    seeds = [ending(attrs.evolve(scenario, seed=seed)) for seed in range(40)]
    rate = Evidence(sum(map(oracle.violated, seeds)), 40, "seeds")
    oracle.limit = None if limit is None else oracle.simulations + limit
    found = judged(few, rate, ensemble=ensemble, measures=True)
    assert found is not None
    return found


def test_a_violation_under_each_set_is_robust() -> None:
    """Its rate is a range over the sets."""
    found = over_sets(lambda scenario: scenario.seed % 4 < {5: 1, 8: 2, 12: 3}[scenario.assumptions.held_batches])
    assert (found.verdict, found.sets, found.known, found.violated) == ("robust", 3, 3, 3)
    assert found.lowest == Evidence(10, 40, "seeds")
    assert found.highest == Evidence(30, 40, "seeds")


def test_a_violation_under_some_sets_depends_on_what_decides() -> None:
    """The assumption that alone makes the difference, with the rates at both its ends; the other is left out."""
    found = over_sets(lambda scenario: scenario.assumptions.held_batches > 5 and scenario.seed % 2 == 0)
    assert (found.verdict, found.violated) == ("depends", 2)
    assert found.trials > 40
    assert found.deciding == (
        AssumptionRate("held_batches", 5, Evidence(0, 40, "seeds")),
        AssumptionRate("held_batches", 12, Evidence(20, 40, "seeds")),
    )


def test_assumptions_may_decide_together() -> None:
    """Where none does alone, those without which the difference goes away."""
    odd = Assumptions(held_batches=12, long_poll=15_000, cold_start=7)
    found = over_sets(
        lambda scenario: (scenario.assumptions.held_batches, scenario.assumptions.cold_start) != (12, 7),
        ensemble=(USUAL, SMALL, odd),
    )
    assert (found.verdict, found.deciding, found.together) == ("depends", (), ("cold_start", "held_batches"))


def test_a_violation_under_the_default_alone_is_an_artefact() -> None:
    """No other set produces it: not even with larger loads, nor in the cases of a search."""
    found = over_sets(lambda scenario: scenario.assumptions == USUAL)
    assert (found.verdict, found.sets, found.violated) == ("artefact", 3, 1)
    assert Explanation(ensemble=found).is_artefact


def test_what_only_drawn_assumptions_produce_is_no_artefact_of_the_default() -> None:
    """The user has asked for it: the verdict depends on AWS, and no set that fits has it."""
    found = over_sets(lambda scenario: scenario.assumptions == LONG.assumptions, own=LONG.assumptions)
    assert (found.verdict, found.sets, found.violated) == ("depends", 3, 0)
    assert not Explanation(ensemble=found).is_artefact


def larger_load(scenario: Scenario) -> bool:
    return scenario.workload == (Burst("orders", 5),)


def case_of_the_search(scenario: Scenario) -> bool:
    return bool(scenario.faults.windows)


@pytest.mark.parametrize("elsewhere", [larger_load, case_of_the_search])
def test_a_set_may_produce_the_violation_in_another_way(elsewhere: Callable[[Scenario], bool]) -> None:
    """The counterexample's own seeds alone do not show that a set has no violation."""
    found = over_sets(lambda scenario: scenario.assumptions.held_batches > 5 or elsewhere(scenario))
    assert (found.verdict, found.violated) == ("robust", 3)


def test_chance_is_no_difference_between_sets() -> None:
    """What one seed in forty has, other sets may have too: nothing is claimed, and it stays a violation."""
    found = over_sets(lambda scenario: scenario.assumptions == USUAL and scenario == ending(SHORT))
    assert (found.verdict, found.violated) == ("unsettled", 1)


def test_few_simulations_settle_little() -> None:
    """Where real code limits them, the sets that were not tried are not counted."""
    found = over_sets(lambda _: True, limit=1)
    assert (found.verdict, found.sets, found.violated) == ("unsettled", 2, 2)
    assert over_sets(lambda _: True, limit=2) == Ensemble("robust", 3, 3, 3)


@pytest.mark.parametrize(("breaking", "sets"), [(9, 2), (12, None)])
def test_claims_hold_under_other_sets(breaking: int, sets: int | None) -> None:
    """A value that any set of them breaks is not safe."""
    single = attrs.evolve(ROOMY, mappings=[attrs.evolve(ROOMY.mappings[0], batch_size=1)])
    oracle = broken_if(lambda scenario: scenario.design != single or scenario.assumptions.held_batches == breaking)
    tried = Trials(oracle, SHORT, ScenarioGrid(ROOMY, "orders"), 12, 24, (SMALL, LARGE))
    found = tried.confirmed(single)
    assert (None if found is None else found.sets) == sets


@pytest.mark.parametrize(("others", "value", "safe"), [([], 4, 3), ([SMALL, LARGE], 2, 1)])
def test_a_safe_load_is_safe_under_other_sets(others: list[Assumptions], value: int, safe: int) -> None:
    """The own set has the violation from four messages on, another one from two."""

    def too_many(scenario: Scenario) -> bool:
        return len(arrivals(scenario.workload)) >= (2 if scenario.assumptions == SMALL else 4)

    several = attrs.evolve(SHORT, workload=[Burst("orders", 6)])
    tried = Trials(broken_if(too_many), several, ScenarioGrid(ROOMY, "orders"), 40, 80, tuple(others))
    (premise,) = premises(tried)
    assert (premise.value, premise.safe) == (value, safe)
    assert premise.evidence == Evidence(0, 40, "seeds")


def test_an_explanation_has_the_verdict_over_the_sets_that_are_given() -> None:
    """Without any, there is none."""
    always = broken_if(lambda _: True).invariant
    brief = attrs.evolve(QUICK, trials=4, draws=4, explain_simulations=40)
    for ensemble, verdict in (((), None), (ENSEMBLE, Ensemble("robust", 3, 3, 3))):
        found = explain(simulate(SHORT), ROOMY.mappings[0], always, profile=brief, ensemble=ensemble)
        assert found.ensemble == verdict


def test_explore_counts_no_artefact_as_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its verdict says so; its counterexample is there to look at, but not among those of the design."""

    def explained(*_: object, **given: object) -> Explanation:
        assert given["ensemble"]
        return Explanation(ensemble=Ensemble("artefact", 28, 28, 1))

    monkeypatch.setattr(exploration, "explain", explained)
    brief = attrs.evolve(QUICK, shrink_simulations=50)
    found = explore(ROOMY, invariants=(broken_if(lambda _: True).invariant,), profile=brief, seed=1)
    (finding,) = found
    assert (finding.verdict.status, finding.violated) == (Status.ARTEFACT, False)
    assert finding.counterexample is not None
    assert found.counterexamples == ()
    assert "judge: artefact (in one of 28 assumption sets" in str(found)

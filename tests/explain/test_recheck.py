"""Claims are tested again with fresh seeds: true ones hold, and planted false ones are told."""

from pathlib import Path

import attrs
import pytest

from chaosqs.invariants import NO_BYSTANDER_DEAD_LETTERED, Invariant
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.explanation import (
    Change,
    Ensemble,
    Evidence,
    Explanation,
    Fix,
    Setting,
    SettingPath,
    Threshold,
    Value,
)
from chaosqs.model.history import History
from chaosqs.model.json import from_json
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict, Violation
from chaosqs.model.workload import Burst
from tests.search.designs import MAPPING, ROOMY
from tools import recheck as recheck_tool
from tools.recheck import recheck

REPORTS = Path(__file__).parents[2] / "reports"
SCENARIO = Scenario(ROOMY, [Burst("orders", 2)], {"worker": Behaviour(poison=(0,))})
BATCH_SIZE = SettingPath("mapping", MAPPING, "batch_size")
VISIBILITY_TIMEOUT = SettingPath("queue", "orders", "visibility_timeout")
EVIDENCE = Evidence(0, 200, "larger_loads")


def explained(explanation: Explanation) -> Counterexample:
    """Return a counterexample of bystanders with an explanation."""
    violation = Violation(NO_BYSTANDER_DEAD_LETTERED.name, "So.", 0, "orders", (1,), ())
    return Counterexample("d", MAPPING, violation.invariant, violation, SCENARIO, "", {}, explanation)


def holding(explanation: Explanation) -> list[bool]:
    """Return for each claim whether it holds in a few fresh trials."""
    return [outcome.holds for outcome in recheck(explained(explanation), 12, 10)]


@pytest.mark.parametrize(("value", "holds"), [(1, True), (5, False)])
def test_a_threshold_is_tested_at_its_value(value: Value, holds: bool) -> None:  # noqa: FBT001 - a parameter
    """Batches of one message have no bystanders; those of five have."""
    found = Explanation((Setting(BATCH_SIZE, 10, (Threshold("at_most", value, EVIDENCE, 400, 40),)),))
    assert holding(found) == [holds]


def test_a_fix_is_tested_with_all_its_changes() -> None:
    """A longer visibility timeout prevents nothing."""
    good = Fix((Change(BATCH_SIZE, 10, 1),), EVIDENCE)
    bad = Fix((Change(VISIBILITY_TIMEOUT, 60, 600),), EVIDENCE)
    assert holding(Explanation(fixes=(good, bad))) == [True, False]
    assert holding(Explanation(fixes=(attrs.evolve(bad, conclusive=False),))) == []


def test_a_robust_verdict_is_tested_under_each_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is false if one of them has no violation; one that depends on AWS claims no such thing."""
    robust, always = Ensemble("robust", 13, 13, 13), NO_BYSTANDER_DEAD_LETTERED
    assert holding(Explanation(ensemble=robust)) == [True]
    assert holding(Explanation(ensemble=attrs.evolve(robust, verdict="depends"))) == []
    judged = always.judge

    def usual_alone(history: History) -> Verdict:
        usual = history.scenario.assumptions == Assumptions()
        return judged(history) if usual else Verdict(always.name, Status.HOLDS)

    def by_name(_: str) -> Invariant:
        return attrs.evolve(always, judge=usual_alone)

    monkeypatch.setattr(recheck_tool, "by_name", by_name)
    assert holding(Explanation(ensemble=robust)) == [False]


def test_a_setting_that_is_not_involved_is_tested_at_each_value() -> None:
    """With batches of one message the violation does not stay."""
    found = Explanation((Setting(VISIBILITY_TIMEOUT, 60, same_at=(30, 600)), Setting(BATCH_SIZE, 10, same_at=(1,))))
    assert holding(found) == [True, True, False]


@pytest.mark.deep
@pytest.mark.parametrize("file", sorted(REPORTS.glob("*/scenario.json")), ids=lambda file: str(file.parent.name))
def test_the_claims_of_the_gallery_hold_with_fresh_seeds(file: Path) -> None:
    """No value that is called safe, no fix and no setting that is not involved is found to be otherwise."""
    found = from_json(Counterexample, file.read_text(encoding="utf-8"))
    false = [outcome for outcome in recheck(found, 200, 400) if not outcome.holds]
    assert not false

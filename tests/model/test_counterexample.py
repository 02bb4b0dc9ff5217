"""Figures of a counterexample."""

from __future__ import annotations

import pytest

from chaosqs.model.explanation import Evidence
from chaosqs.model.verdict import Status, Verdict, Violation


@pytest.mark.parametrize(
    ("violated", "of", "low", "high"),
    [
        # statsmodels.stats.proportion.proportion_confint(…, method="wilson") and textbooks give these.
        (380, 1000, 0.3504, 0.4105),
        (0, 2000, 0.0, 0.0019),
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (1, 1, 0.2065, 1.0),
        (5, 10, 0.2366, 0.7634),
    ],
)
def test_wilson_interval(violated: int, of: int, low: float, high: float) -> None:
    """The 95 % interval agrees with published figures, and never leaves 0 to 1."""
    evidence = Evidence(violated, of, "seeds")
    interval = evidence.interval()
    assert interval == pytest.approx((low, high), abs=5e-5)
    assert evidence.bound == interval[1]
    assert 0 <= interval[0] <= violated / of <= interval[1] <= 1


def test_violation_prints_as_a_sentence() -> None:
    """A violation prints its invariant and its text."""
    assert str(Violation("conservation", "Message 1 is gone.", 0, "orders", (0,), (1,))) == (
        "conservation: Message 1 is gone."
    )


def test_status_is_its_word() -> None:
    """A status is the word that reports print."""
    assert [str(status) for status in Status] == [
        "holds",
        "violated",
        "not applicable",
        "not exercised",
        "inconclusive",
        "artefact",
    ]
    assert Verdict("conservation", Status.HOLDS).violations == ()

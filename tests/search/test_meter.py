"""Time only cuts a search and what follows it: what was found before is what it would have been."""

from __future__ import annotations

from typing import get_args

import attrs

from chaosqs.invariants import (
    AT_LEAST_ONCE_DELIVERY,
    CONSERVATION,
    NO_CONCURRENT_PROCESSING,
    NO_DEAD_LETTERING_BY_THROTTLING,
)
from chaosqs.model.explanation import Explanation, Part
from chaosqs.model.verdict import Status
from chaosqs.project.exploration import counterexample
from chaosqs.search.finding import Finding
from chaosqs.search.meter import Meter, Progress
from chaosqs.search.profiles import QUICK
from chaosqs.search.search import searched
from tests.search.designs import MAPPING, SOUND, over_polling

HELD = (AT_LEAST_ONCE_DELIVERY, CONSERVATION)
BROKEN = (NO_DEAD_LETTERING_BY_THROTTLING, NO_CONCURRENT_PROCESSING)
BRIEF = attrs.evolve(QUICK, max_examples=30, shrink_simulations=100, draws=5, trials=5)


@attrs.define
class Passing:
    """A clock that goes on by one second with each step of the progress."""

    now: float = 0.0
    told: list[Progress] = attrs.field(factory=list[Progress])

    def __call__(self) -> float:
        return self.now

    def tell(self, progress: Progress) -> None:
        self.told.append(progress)
        self.now += progress.found is None

    def meter(self, seconds: float) -> Meter:
        return Meter(seconds, self, self.tell)


def test_a_search_without_a_violation_takes_all_the_time() -> None:
    """It says how many cases that were, and the last one is told."""
    clock = Passing()
    found = searched(SOUND, MAPPING, HELD, profile=BRIEF, meter=clock.meter(12))
    findings = [found.finding(invariant) for invariant in HELD]
    assert {finding.cut for finding in findings} == {"12 of 30 cases were tried"}
    assert {finding.cases for finding in findings} == {12}
    assert Status.HOLDS in {finding.verdict.status for finding in findings}
    assert clock.told[-1] == Progress("searching", 12, 30)


def test_a_search_without_any_time_is_inconclusive() -> None:
    """No case is no pass."""
    found = searched(SOUND, MAPPING, HELD[:1], profile=BRIEF, meter=Passing().meter(0))
    verdict = found.finding(HELD[0]).verdict
    assert (verdict.status, verdict.reason) == (Status.INCONCLUSIVE, "0 of 30 cases were tried")


def violations(meter: Meter | None) -> dict[str, Finding]:
    found = searched(over_polling(), MAPPING, BROKEN, profile=BRIEF, meter=meter)
    findings = {invariant.name: found.finding(invariant) for invariant in BROKEN}
    return {name: finding for name, finding in findings.items() if finding.violated}


def test_a_violation_leaves_time_for_its_explanation() -> None:
    """Half of the time is over after 20 cases; what they violate is violated in the same case without a limit."""
    clock, asked = Passing(), (NO_CONCURRENT_PROCESSING, CONSERVATION)
    cut = searched(over_polling(), MAPPING, asked, profile=BRIEF, meter=clock.meter(40))
    whole = searched(over_polling(), MAPPING, asked[:1], profile=BRIEF)
    assert cut.finding(CONSERVATION).cut == "20 of 30 cases were tried"
    case = whole.finding(NO_CONCURRENT_PROCESSING).cases
    assert cut.finding(NO_CONCURRENT_PROCESSING).cases == case
    assert [(each.cases, each.found.invariant) for each in clock.told if each.found] == [(case, asked[0].name)]


def test_what_time_cuts_of_a_violation_is_said() -> None:
    """The case as it was found is the counterexample, and each part of the explanation that is missing is named."""
    clock = Passing()
    meter = clock.meter(40)
    (name, finding), *_ = violations(meter).items()
    clock.now = 41
    (late,) = [each for each in BROKEN if each.name == name]
    explained = counterexample("design", finding, late, profile=BRIEF, meter=meter)
    assert explained.explanation.cut_by == "time"
    assert set(explained.explanation.unfinished) >= {"rate", "settings", "fixes"}


def test_a_violation_is_kept_where_no_time_is_left_to_shrink_it() -> None:
    """It violates its invariant all the same."""
    clock = Passing()
    meter = clock.meter(40)
    found = searched(over_polling(), MAPPING, BROKEN, profile=BRIEF, meter=meter)
    clock.now = 41
    kept = [finding for finding in map(found.finding, BROKEN) if finding.violated]
    assert {finding.cut for finding in kept} == {"not shrunk to the end"}


def test_an_explanation_can_be_declined() -> None:
    """Then all of its parts are missing, at the user's wish."""
    (name, finding), *_ = violations(Passing().meter(40)).items()
    (asked,) = [each for each in BROKEN if each.name == name]
    explained = counterexample("design", finding, asked, profile=BRIEF, unexplained="request").explanation
    assert explained == Explanation(unfinished=get_args(Part), cut_by="request")

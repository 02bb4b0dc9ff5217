"""Every known-bad fixture violates its invariant, its near miss violates none, and every invariant has a fixture."""

from __future__ import annotations

import re

import pytest

from chaosqs import invariants
from chaosqs.model.history import History
from chaosqs.model.verdict import Status
from tests.known_bad.known_bad import NAMES, known_bad


def broken_by(history: History, limit: str) -> list[str]:
    """Return the names of the invariants that a history violates; of limits and retries only `limit` is judged."""
    judged = {name: invariants.by_name(name) for name in (*(one.name for one in invariants.ALL), limit)}
    return [verdict.invariant for verdict in invariants.judge(history, judged.values()) if verdict.violations]


@pytest.mark.parametrize("name", NAMES)
def test_fixture_violates_its_invariant_and_no_other(name: str) -> None:
    """A fixture violates its own invariant, and no other one except those that list it."""
    found = known_bad(name)
    others = {other.breaks for other in map(known_bad, NAMES) if name in other.also_broken_by}
    assert set(broken_by(found.bad_history(), found.breaks)) == {found.breaks, *others}


@pytest.mark.parametrize("name", NAMES)
def test_violation_has_its_sentence_and_blames_events(name: str) -> None:
    """The first violation has the sentence of the fixture (without places), and blames events, in order."""
    found = known_bad(name)
    history = found.bad_history()
    verdict = invariants.by_name(found.breaks).judge(history)
    violation = verdict.violations[0]
    text = re.sub(r" \(tests/\S+\.py:\d+\)", "", violation.text)
    assert re.sub(r"^Message \d+", "Message N", text) == found.says
    assert (verdict.status, violation.invariant) == (Status.VIOLATED, found.breaks)
    assert violation.events == tuple(sorted(violation.events))
    assert all(0 <= index < len(history.events) for index in violation.events)


@pytest.mark.parametrize("name", NAMES)
def test_near_miss_violates_nothing(name: str) -> None:
    """Without the one thing that matters, no invariant is violated."""
    found = known_bad(name)
    assert broken_by(found.near_miss(), found.breaks) == []


@pytest.mark.parametrize("invariant", [invariant.name for invariant in invariants.ALL])
def test_every_invariant_has_a_known_bad_fixture(invariant: str) -> None:
    """A known-bad fixture violates the invariant, and it holds, exercised, in at least one near miss."""
    fixtures = [found for found in map(known_bad, NAMES) if found.breaks == invariant]
    assert fixtures, f"no known-bad fixture breaks {invariant}"
    judge = invariants.by_name(invariant).judge
    assert Status.HOLDS in [judge(found.near_miss()).status for found in fixtures]

"""Every known-bad fixture breaks its invariant, its near miss breaks none, and no invariant is without a known-bad fixture."""

from __future__ import annotations

import re

import pytest

from chaosqs import invariants
from chaosqs.model.history import History
from chaosqs.model.verdict import Status
from tests.known_bad.known_bad import NAMES, known_bad


def broken_by(history: History, limit: str) -> list[str]:
    """Return which of all invariants a history violates, and of limits and the like the one in question."""
    judged = {name: invariants.by_name(name) for name in (*(one.name for one in invariants.ALL), limit)}
    return [verdict.invariant for verdict in invariants.judge(history, judged.values()) if verdict.violations]


@pytest.mark.parametrize("name", NAMES)
def test_villain_breaks_what_it_says_and_nothing_else(name: str) -> None:
    """An invariant notices the known-bad fixture made for it, and the others keep out of it."""
    found = known_bad(name)
    others = {other.breaks for other in map(known_bad, NAMES) if name in other.also_broken_by}
    assert set(broken_by(found.strikes(), found.breaks)) == {found.breaks, *others}


@pytest.mark.parametrize("name", NAMES)
def test_violation_is_told_in_a_sentence_and_blames_events(name: str) -> None:
    """The first violation reads as the known-bad fixture says, and its events are places in the history, the last one its own."""
    found = known_bad(name)
    history = found.strikes()
    verdict = invariants.by_name(found.breaks).judge(history)
    violation = verdict.violations[0]
    assert re.sub(r"^Message \d+", "Message N", violation.text) == found.says
    assert (verdict.status, violation.invariant) == (Status.VIOLATED, found.breaks)
    assert violation.events == tuple(sorted(violation.events))
    assert all(0 <= index < len(history.events) for index in violation.events)


@pytest.mark.parametrize("name", NAMES)
def test_near_miss_breaks_nothing(name: str) -> None:
    """Without the one thing that matters, no invariant is violated: none of them cries wolf."""
    found = known_bad(name)
    assert broken_by(found.near_miss(), found.breaks) == []


@pytest.mark.parametrize("invariant", [invariant.name for invariant in invariants.ALL])
def test_every_invariant_has_a_villain(invariant: str) -> None:
    """No invariant is without a known-bad fixture, and at least one near miss could have broken it, but did not."""
    fixtures = [found for found in map(known_bad, NAMES) if found.breaks == invariant]
    assert fixtures, f"no known-bad fixture breaks {invariant}"
    judge = invariants.by_name(invariant).judge
    assert Status.HOLDS in [judge(found.near_miss()).status for found in fixtures]

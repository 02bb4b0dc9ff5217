"""The registry is what commands, searches and reports know of invariants."""

from __future__ import annotations

import re

import pytest

from chaosqs import invariants
from chaosqs.model.verdict import Status
from tests.invariants.builder import Story, orders_design


@pytest.mark.parametrize("invariant", invariants.ALL, ids=lambda invariant: invariant.name)
def test_invariant_says_what_it_promises(invariant: invariants.Invariant) -> None:
    """Each invariant has a slug that is its title, and tells its promise, when it applies and what it counts."""
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", invariant.name)
    assert re.sub(r"[ -]", "-", invariant.title) == invariant.name
    assert invariant.statement.endswith(".")
    assert invariant.applies.endswith(".")
    assert invariant.unit


def test_names_are_unique() -> None:
    """A name means one invariant."""
    names = [invariant.name for invariant in invariants.ALL]
    assert len(names) == len(set(names))


def test_by_name_finds_each() -> None:
    """Every invariant is found by its name."""
    assert [invariants.by_name(invariant.name) for invariant in invariants.ALL] == list(invariants.ALL)


def test_by_name_of_an_unknown_name_tells_what_exists() -> None:
    """A misspelt name is answered with those that exist."""
    with pytest.raises(ValueError, match="'no-losses': there are no-dead-lettering-by-throttling, at-least"):
        invariants.by_name("no-losses")


def test_default_is_a_choice_among_all() -> None:
    """A search judges by default only what is registered, in the same order."""
    assert list(invariants.DEFAULT) == [invariant for invariant in invariants.ALL if invariant.default]


def test_judge_answers_in_the_order_asked() -> None:
    """One verdict an invariant, under its name, in the order of the question."""
    asked = tuple(reversed(invariants.ALL))
    verdicts = invariants.judge(Story(orders_design()).end(), asked)
    assert [verdict.invariant for verdict in verdicts] == [invariant.name for invariant in asked]


def test_nothing_is_exercised_in_an_empty_run() -> None:
    """A run in which nothing happened proves nothing, and each verdict says why."""
    verdicts = invariants.judge(Story(orders_design()).end(), invariants.ALL)
    assert {verdict.status for verdict in verdicts} == {Status.NOT_EXERCISED, Status.NOT_APPLICABLE}
    assert all(verdict.reason for verdict in verdicts)
    reasons = {verdict.invariant: verdict.reason for verdict in verdicts}
    assert reasons["no-dead-lettering-by-throttling"] == "worker was never at the limit"
    assert reasons["fifo-order"] == "no mapping polls a FIFO queue"


def test_check_returns_the_violations_of_all_invariants() -> None:
    """Without a choice every invariant is checked; the violations print as sentences."""
    history = Story(orders_design()).send().give_back(0).end()
    (violation,) = invariants.check(history)
    assert str(violation) == (
        "conservation: Message 1 came back to orders although it was not in flight. "
        "This is a bug of chaosqs, not of the design."
    )
    assert invariants.check(history, [invariants.AT_LEAST_ONCE_DELIVERY]) == ()

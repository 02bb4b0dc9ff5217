"""How a fault plan is read."""

from __future__ import annotations

import pytest

from chaosqs.model.fault import KIND_NAMES, KINDS, OK, FaultKind, FaultPlan, Window, check_plan
from chaosqs.model.values import Checks
from tests.model.helpers import changed

BOUNDARIES = ("receive", "invoke", "handler", "response", "delete")


def test_missing_entries_mean_that_nothing_goes_wrong() -> None:
    """A plan may be shorter than the run."""
    plan = FaultPlan([["error"], []])
    assert [plan.outcome("handler", message, 1) for message in (0, 1, 2)] == ["error", OK, OK]
    assert plan.outcome("handler", 0, 2) == OK


def test_outcome_is_for_its_receive() -> None:
    """The n-th entry of a message is for its n-th receive."""
    plan = FaultPlan([["ok", "error"]])
    assert [plan.outcome("handler", 0, receive) for receive in (1, 2, 3)] == [OK, "error", OK]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_fault_strikes_at_its_boundary_only(kind: FaultKind, boundary: str) -> None:
    """Each kind answers one question of the simulator, and no other."""
    window = Window(kind.name, "", 0, 1)
    strikes = kind.boundary == boundary
    assert FaultPlan([[kind.name]]).outcome(boundary, 0, 1) == (kind.name if strikes else OK)
    assert FaultPlan(windows=[window]).strikes(boundary, (), 0) == ((0, window) if strikes else None)


def test_banned_kind_is_as_good_as_absent() -> None:
    """Switching a kind off leaves every other entry as it was."""
    plan = FaultPlan([["error", "crash"]], [Window("error", "", 0, 1), Window("crash", "", 0, 1)], ["error"])
    assert [plan.outcome("handler", 0, receive) for receive in (1, 2)] == [OK, "crash"]
    assert plan.strikes("handler", (), 0) == (1, plan.windows[1])


@pytest.mark.parametrize(("now", "struck"), [(999, False), (1000, True), (2999, True), (3000, False)])
def test_window_strikes_from_its_start_until_its_end(now: int, *, struck: bool) -> None:
    """The start belongs to a window, the end does not."""
    assert (FaultPlan(windows=[Window("error", "", 1, 2)]).strikes("handler", (), now) is not None) == struck


def test_window_strikes_its_scope() -> None:
    """A window with a scope leaves others alone; the first window that fits decides."""
    plan = FaultPlan(windows=[Window("error", "worker", 0, 1), Window("crash", "", 0, 1)])
    assert plan.strikes("handler", ("worker",), 0) == (0, plan.windows[0])
    assert plan.strikes("handler", ("auditor",), 0) == (1, plan.windows[1])


def refused(plan: FaultPlan) -> list[str]:
    checks = Checks("faults")
    check_plan(checks, plan, ("orders", "worker"))
    return [problem.path for problem in checks.problems]


def test_plan_that_is_accepted() -> None:
    """Every kind, every scope and the bounds pass."""
    windows = [Window(kind, scope, 0, 0) for kind in KIND_NAMES for scope in ("", "orders", "worker")]
    assert refused(FaultPlan([[OK, *KIND_NAMES]], windows, KIND_NAMES, heal_at=0)) == []


def test_plan_that_is_refused_lists_everything() -> None:
    """Unknown kinds and scopes, negative times: each under its path."""
    plan = FaultPlan(
        [["ok"], ["ok", "fire"]],
        [Window("error", "nobody", -1, 1), Window("fire", "", 0, -1)],
        ["ok"],
        heal_at=-1,
    )
    assert refused(plan) == [
        "faults.messages[1][1]",
        "faults.windows[0].scope",
        "faults.windows[0].start",
        "faults.windows[1].kind",
        "faults.windows[1].seconds",
        "faults.banned[0]",
        "faults.heal_at",
    ]


def test_kinds_of_wrong_types_are_refused() -> None:
    """A number is no kind."""
    assert refused(changed(FaultPlan(), banned=(7,))) == ["faults.banned[0]"]

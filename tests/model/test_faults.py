"""Reading of fault plans."""

from __future__ import annotations

import math

import attrs

from chaosqs.model.faults import KINDS, OK, Action, FaultPlan, Pause, Window, check_plan
from chaosqs.model.values import Checks


def test_missing_entries_mean_that_nothing_goes_wrong() -> None:
    """A plan may be shorter than the run."""
    plan = FaultPlan([["error"], []], sends=["late_send"])
    assert [plan.outcome(message, 1) for message in (0, 1, 2)] == ["error", OK, OK]
    assert plan.outcome(0, 2) == OK
    assert [plan.send_outcome(message) for message in (0, 1)] == ["late_send", OK]


def test_outcome_is_for_its_receive() -> None:
    """The n-th entry of a message is for its n-th receive."""
    plan = FaultPlan([["ok", "error"]])
    assert [plan.outcome(0, receive) for receive in (0, 1, 2, 3)] == [OK, OK, "error", OK]


def test_banned_kind_is_as_good_as_absent() -> None:
    """Switching a kind off leaves every other entry as it was."""
    plan = FaultPlan([["error", "crash"]], banned=["error", "late_send"], sends=["late_send"])
    assert [plan.outcome(0, receive) for receive in (1, 2)] == [OK, "crash"]
    assert plan.send_outcome(0) == OK


def test_plan_ends_with_its_last_window_or_action() -> None:
    """Faults of single messages apart; a banned window does not count, and healing ends all."""
    windows = [Window("error", "", 5, 10), Window("crash", "", 5, 100)]
    plan = FaultPlan(windows=windows, banned=["crash"], actions=[Action("redeploy", "worker", 20)])
    assert plan.ends_at == 20
    assert attrs.evolve(plan, heal_at=7).ends_at == 7
    assert FaultPlan().ends_at == 0


def refused(plan: FaultPlan) -> list[str]:
    checks = Checks("faults")
    check_plan(checks, plan, queues=["orders"], functions=["worker"], mappings=["orders→worker"])
    return [problem.path for problem in checks.problems]


def test_plan_that_is_accepted() -> None:
    """Every kind where it belongs, every scope, every action and the bounds pass."""
    named = {"queue": "orders", "function": "worker", "mapping": "orders→worker"}
    windows = [
        Window(kind.name, scope, 0, 0)
        for kind in KINDS
        if not kind.is_named
        for scope in ("", *(named[one] for one in kind.scopes))
    ]
    receives = [kind.name for kind in KINDS if kind.keyed and kind.injection_point != "send" and not kind.is_named]
    plan = FaultPlan(
        [[OK, *receives, "fault_point:charge-card"]],
        [*windows, Window("fault_point:charge-card", "worker", 0, 1)],
        [kind.name for kind in KINDS],
        heal_at=0,
        sends=[OK, *(kind.name for kind in KINDS if kind.keyed and kind.injection_point == "send")],
        actions=[
            Action("redeploy", "worker", 0),
            Action("purge", "orders", 1),
            Action("redrive", "orders", 2),
            Action("change", "orders→worker", 3, "batch_size", 5),
        ],
        pauses=[Pause("orders→worker/3", 1, 1), Pause("worker#12", 2, 30)],
    )
    assert refused(plan) == []


def test_plan_that_is_refused_lists_everything() -> None:
    """Unknown kinds, scopes and targets, negative times, endless windows: each under its path."""
    plan = FaultPlan(
        [["ok"], ["ok", "fire"], ["outage"], ["late_send"], ["fault_point"]],
        [
            Window("error", "nobody", -1, 1),
            Window("fire", "", 0, -1),
            Window("disabled", "orders", 0, math.inf),
            Window("fault_point", "", 0, 1),
        ],
        ["ok"],
        heal_at=-1,
        sends=["error"],
        actions=[
            Action("burn", "worker", 0),  # type: ignore[arg-type]
            Action("purge", "worker", -1),
            Action("change", "worker", 0),
        ],
        pauses=[Pause("nobody/1", 0, 0)],
    )
    assert refused(plan) == [
        "faults.messages[1][1]",
        "faults.messages[2][0]",
        "faults.messages[3][0]",
        "faults.messages[4][0]",
        "faults.sends[0]",
        "faults.windows[0].scope",
        "faults.windows[0].start",
        "faults.windows[1].kind",
        "faults.windows[1].seconds",
        "faults.windows[2].scope",
        "faults.windows[2].seconds",
        "faults.windows[3].kind",
        "faults.actions[0].kind",
        "faults.actions[1].at",
        "faults.actions[1].target",
        "faults.actions[2].setting",
        "faults.pauses[0].task",
        "faults.pauses[0].step",
        "faults.pauses[0].steps",
        "faults.banned[0]",
        "faults.heal_at",
    ]

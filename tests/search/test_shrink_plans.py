"""The single steps by which a fault plan becomes simpler."""

from __future__ import annotations

import pytest
from hypothesis import given

from chaosqs.explain.explain import without_one
from chaosqs.model.faults import OK, Action, FaultPlan, Pause, Window
from chaosqs.model.scenario import Scenario
from chaosqs.search.shrink import plans
from chaosqs.strategies import fault_plans
from tests.search.designs import ROOMY

STEPS = {
    "a fault": (FaultPlan([["crash"], ["error"]]), FaultPlan([[], ["error"]])),
    "a step of the code": (FaultPlan([["crash:9"]]), FaultPlan([["crash"]])),
    "a later step": (FaultPlan([["crash:9"]]), FaultPlan([["crash:8"]])),
    "the step of a window": (
        FaultPlan(windows=[Window("slow:2", "", 0, 9)]),
        FaultPlan(windows=[Window("slow:1", "", 0, 9)]),
    ),
    "a fault at the end": (FaultPlan([["crash"], ["error"]]), FaultPlan([["crash"]])),
    "one receive": (FaultPlan([["crash", "error"]]), FaultPlan([["crash"]])),
    "what says nothing": (FaultPlan([["crash", OK], [OK]]), FaultPlan([["crash"]])),
    "a send": (FaultPlan(sends=["lost_send", "late_send"]), FaultPlan(sends=[OK, "late_send"])),
    "the last send": (FaultPlan(sends=[OK, "late_send"]), FaultPlan()),
    "a window": (FaultPlan(windows=[Window("error", "", 0, 1)] * 2), FaultPlan(windows=[Window("error", "", 0, 1)])),
    "a scope": (FaultPlan(windows=[Window("error", "worker", 0, 1)]), FaultPlan(windows=[Window("error", "", 0, 1)])),
    "a start": (FaultPlan(windows=[Window("error", "", 7, 1)]), FaultPlan(windows=[Window("error", "", 0, 1)])),
    "a length": (FaultPlan(windows=[Window("error", "", 0, 7)]), FaultPlan(windows=[Window("error", "", 0, 1)])),
    "a receive instead of a window": (FaultPlan(windows=[Window("error", "", 0, 1)]), FaultPlan([["error"]])),
    "a send instead of a window": (
        FaultPlan(windows=[Window("late_send", "", 0, 1)]),
        FaultPlan(sends=["late_send"]),
    ),
    "an order": (
        FaultPlan(windows=[Window("error", "", 0, 9), Window("crash", "", 0, 9)]),
        FaultPlan(windows=[Window("crash", "", 0, 9), Window("error", "", 0, 9)]),
    ),
    "an action": (FaultPlan(actions=[Action("redeploy", "worker", 7)]), FaultPlan()),
    "its moment": (
        FaultPlan(actions=[Action("redeploy", "worker", 7)]),
        FaultPlan(actions=[Action("redeploy", "worker", 0)]),
    ),
    "a pause": (FaultPlan(pauses=[Pause("worker#1", 3, 8)]), FaultPlan()),
    "half of it": (FaultPlan(pauses=[Pause("worker#1", 3, 8)]), FaultPlan(pauses=[Pause("worker#1", 3, 4)])),
    "its step": (FaultPlan(pauses=[Pause("worker#1", 3, 8)]), FaultPlan(pauses=[Pause("worker#1", 2, 8)])),
    "healing": (FaultPlan([["crash"]], heal_at=9), FaultPlan([["crash"]])),
    "a ban with all that it bans": (
        FaultPlan(
            [["crash", "error"]], [Window("crash", "", 0, 1)], banned=["crash", "lost_send"], sends=["lost_send"]
        ),
        FaultPlan([[OK, "error"]], sends=[OK]),
    ),
}


@pytest.mark.parametrize(("plan", "less"), STEPS.values(), ids=STEPS)
def test_a_plan_loses_one_thing_in_one_step(plan: FaultPlan, less: FaultPlan) -> None:
    """Each part of a plan can go, or become smaller, and what says nothing goes too."""
    assert less in list(plans(ROOMY, plan))


def test_the_largest_step_comes_first() -> None:
    """Mostly no fault is needed at all."""
    assert next(plans(ROOMY, FaultPlan([["crash"]]))) == FaultPlan()


@given(fault_plans(ROOMY, points=["charge"], held=["worker"]))
def test_every_step_fits_the_design(plan: FaultPlan) -> None:
    """Whatever was drawn, each simpler plan is one that a scenario takes."""
    for less in plans(ROOMY, plan):
        assert Scenario(ROOMY, faults=less).faults == less


@given(fault_plans(ROOMY, points=["charge"], held=["worker"]))
def test_everything_can_go_one_by_one(plan: FaultPlan) -> None:
    """Whatever a plan says, shrinking can leave out alone; so a smallest plan needs each thing that it says."""
    spoken = [_trimmed(less) for less in plans(ROOMY, plan)]
    assert all(_trimmed(less) in spoken for _, less in without_one(plan))


def _trimmed(plan: FaultPlan) -> tuple[object, ...]:
    """Return what a plan says, without the outcomes that say nothing."""
    told = [(index, n, kind) for index, kinds in enumerate(plan.messages) for n, kind in enumerate(kinds) if kind != OK]
    sends = [(index, kind) for index, kind in enumerate(plan.sends) if kind != OK]
    return tuple(told), tuple(sends), plan.windows, plan.actions, plan.pauses, plan.banned, plan.heal_at

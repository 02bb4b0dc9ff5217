"""Each single thing that a fault plan says has a text, and a plan that lacks it alone."""

from __future__ import annotations

from hypothesis import given

from chaosqs.model.faults import OK, Action, FaultPlan, Pause, Window
from chaosqs.search.plan_text import without_one
from chaosqs.strategies import fault_plans
from tests.search.designs import ROOMY

PLAN = FaultPlan(
    messages=[["crash", OK, "error"], [OK]],
    windows=[Window("throttled", "worker", 20, 1.5), Window("error", "", 0, 1)],
    sends=[OK, "lost_send"],
    actions=[Action("redeploy", "worker", 5), Action("change", "orders", 60, "visibility_timeout", 30)],
    pauses=[Pause("orders→worker/1", 3, 1_000)],
)


def size(plan: FaultPlan) -> int:
    """Count what a plan says."""
    single = [kind for receives in (*plan.messages, plan.sends) for kind in receives if kind != OK]
    return len(single) + len(plan.windows) + len(plan.actions) + len(plan.pauses)


def test_texts_say_what_where_and_when() -> None:
    """As reports list the faults that a counterexample needs."""
    assert [text for text, _ in without_one(PLAN)] == [
        "crash at receive 1 of message 1",
        "error at receive 3 of message 1",
        "lost_send of message 2",
        "throttled on worker from 20 s for 1.5 s",
        "error from 0 s for 1 s",
        "redeploy of worker at 5 s",
        "change visibility_timeout to 30 of orders at 60 s",
        "orders→worker/1 held from its step 3 for 1,000 steps of others",
    ]


def test_the_others_stay_where_they_are() -> None:
    """A fault that is left out does not move the ones behind it."""
    (_, first), *_ = without_one(PLAN)
    assert first.messages == ((OK, OK, "error"), (OK,))
    assert (first.windows, first.sends, first.actions) == (PLAN.windows, PLAN.sends, PLAN.actions)


@given(fault_plans(ROOMY, points=["charge"], held=["worker"]))
def test_each_step_leaves_out_one_thing(plan: FaultPlan) -> None:
    """Each thing is left out once, and nothing else with it."""
    steps = list(without_one(plan))
    assert len(steps) == size(plan)
    assert all(size(less) == size(plan) - 1 for _, less in steps)

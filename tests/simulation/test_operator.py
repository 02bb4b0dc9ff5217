"""Operator actions take effect in a running simulation at the right time, as on AWS, and violate no invariant."""

from __future__ import annotations

import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, Function
from chaosqs.model.events import DeadLettered, Deleted, InvocationEnded, Operated, Received, Sent
from chaosqs.model.faults import Action, FaultPlan, Window
from chaosqs.model.workload import Burst, Steady
from tests.calibration.designs import one_mapping
from tests.simulation.operating import MAPPING, busiest, change, messages, run, starts, switch


def test_LX_13_a_deployment_lets_what_runs_finish_and_starts_the_rest_cold() -> None:
    """The invocation of 4 s that it meets succeeds; the environment goes, and the next invocation has a new one."""
    calm = run([], load=[Steady("orders", 0.1, 60)])
    history = run([Action("redeploy", "worker", 32)], load=[Steady("orders", 0.1, 60)])
    assert [event.cold for event in starts(calm)] == [True, False, False, False, False, False]
    assert [event.cold for event in starts(history)] == [True, False, False, False, True, False]
    assert {event.outcome for _, event in history.each(InvocationEnded)} == {"succeeded"}
    assert history.each(Operated)[0][1] == Operated(32_000, None, "redeploy", "worker", "", "")


def test_LC_9_a_deployment_has_its_provisioned_environments_at_once() -> None:
    """Assumed: the new version's are there; the old busy ones count as on demand until they are done."""
    design = one_mapping(timeout=5, receives=5, batch=1)
    function = Function("worker", timeout=5, reserved_concurrency=4, provisioned_concurrency=2)
    design = Design(design.queues, [function], design.mappings, era=design.era)
    history = run([Action("redeploy", "worker", 2)], design=design, load=[Burst("orders", 20)])
    assert not [event for event in starts(history)[:2] if event.cold]
    assert busiest(history, 0) == 4
    assert messages(history)["processed"] == 20


def test_PQ_1_a_purge_takes_what_waits_and_what_is_in_flight() -> None:
    """What runs at that moment is processed still; the rest is gone, and the purge is the cause."""
    history = run([Action("purge", "orders", 2)])
    index, operated = history.each(Operated)[0]
    assert (operated.kind, operated.at) == ("purge", 2_000)
    gone = next(event for _, event in history.each(Deleted) if event.fault == "PurgeQueue")
    assert (gone.cause, gone.mapping, len(gone.messages)) == (index, "", 60)
    begun = {message for event in starts(history) if event.at < 2_000 for message in event.messages}
    assert 0 < messages(history)["processed"] < 60
    assert begun <= {message for _, event in history.each(InvocationEnded) for message in event.messages}
    assert history.ended_at_ms < 30_000


def test_PQ_2_a_second_purge_within_a_minute_does_nothing() -> None:
    """AWS refuses it: it is not recorded, and the messages stay."""
    times = [0.001, 30, 60.5]
    history = run(
        [Action("purge", "orders", at) for at in times], load=[Burst("orders", 5, at=29)], behaviour=Behaviour(4)
    )
    assert [event.at for _, event in history.each(Operated)] == [1, 60_500]
    assert messages(history)["processed"] == 5


def test_MV_4_a_redrive_after_the_cause_is_healed_processes_everything() -> None:
    """The dead letters come back as new messages with a receive count of their own, one every 2 ms (MV-3, MV-5)."""
    design = one_mapping(timeout=5, receives=1, batch=1)
    faults = FaultPlan(windows=[Window("error", "worker", 0, 60)])
    history = run([Action("redrive", "orders-dlq", 200)], design=design, load=[Burst("orders", 10)], faults=faults)
    index, operated = history.each(Operated)[0]
    moved = [(at, event) for at, event in history.each(Deleted) if event.fault == "StartMessageMoveTask"]
    assert operated == Operated(200_000, None, "redrive", "orders-dlq", "", "")
    assert [event.cause for _, event in moved] == [index] * 10
    assert [event.at for _, event in moved] == [200_002 + 2 * number for number in range(10)]
    back = [event for _, event in history.each(Sent) if event.message >= 10]
    assert [(event.queue, event.copy_of, event.cause) for event in back] == [
        ("orders", event.messages[0], at) for at, event in moved
    ]
    again = [event for _, event in history.each(Received) if event.at >= 200_000]
    assert {event.receive_counts for event in again} == {(1,)}
    assert {message for event in starts(history, 200) for message in event.messages} == set(range(10, 20))
    assert messages(history)["processed"] == 10
    assert history.drained_at_ms == history.ended_at_ms


def test_a_redriven_poison_message_is_poison_still() -> None:
    """MV-4: it has another number, and the same contents: it goes to the dead-letter queue a second time."""
    history = run(
        [Action("redrive", "orders-dlq", 300)],
        design=one_mapping(timeout=5, receives=2, batch=1),
        load=[Burst("orders", 3)],
        behaviour=Behaviour(1, poison=[1]),
    )
    assert [(event.message, event.receive_count) for _, event in history.each(DeadLettered)] == [(1, 2), (3, 2)]


def test_MV_3_a_second_move_of_a_queue_waits_for_nothing_and_does_nothing() -> None:
    """One active task a source: AWS refuses the second, and it is not recorded; an empty queue has nothing to move."""
    design = one_mapping(timeout=5, receives=1, batch=1)
    faults = FaultPlan(windows=[Window("error", "worker", 0, 60)])
    actions = [Action("redrive", "orders-dlq", at) for at in (200, 200.004, 300)]
    history = run(actions, design=design, load=[Burst("orders", 10)], faults=faults)
    assert [event.at for _, event in history.each(Operated)] == [200_000, 300_000]
    assert messages(history)["processed"] == 10
    assert history.ended_at_ms == 300_002


def test_actions_from_the_healing_on_are_not_carried_out() -> None:
    """`heal_at` is the end of all that is done to a run."""
    actions = [Action("purge", "orders-dlq", 5), Action("purge", "orders", 10), Action("redeploy", "worker", 20)]
    history = run(actions, faults=FaultPlan(heal_at=10))
    assert [event.at for _, event in history.each(Operated)] == [5_000]
    assert messages(history)["processed"] == 60


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_actions_of_one_moment_are_carried_out_in_the_order_of_the_plan(seed: int) -> None:
    """Whatever seed says of ties; an order of the plan that is not that of time does not matter."""
    actions = [change("orders", 7, "visibility_timeout", seconds) for seconds in (50, 40, 60)]
    history = run([*actions, change("orders", 3, "visibility_timeout", 20)], seed=seed)
    assert [event.value for _, event in history.each(Operated)] == ["20", "50", "40", "60"]
    timeouts = [design.queue("orders").visibility_timeout for _, design in history.designs]
    assert timeouts == [30, 20, 50, 40, 60]


def test_a_run_does_not_end_before_its_last_action() -> None:
    """Although all messages are gone long before."""
    assert run([Action("redeploy", "worker", 500)]).ended_at_ms == 500_000


def test_a_plan_without_actions_changes_nothing_and_a_design_is_the_scenarios() -> None:
    """`design_at` gives the very same value."""
    history = run([])
    assert history.each(Operated) == []
    assert history.design_at(17) is history.scenario.design


@pytest.mark.parametrize("seed", range(6))
def test_everything_at_once_keeps_every_invariant(seed: int) -> None:
    """Actions of every kind under load, with faults, in several orders: nothing is lost, no limit exceeded."""
    design = one_mapping(timeout=5, receives=4, batch=5, reserved=6, maximum=5, era="2025-11")
    actions = [
        change("worker", 3, "reserved_concurrency", 2),
        change(MAPPING, 4, "maximum_concurrency", 2),
        change("orders", 20, "visibility_timeout", 10),
        change("worker", 30, "timeout", 8),
        Action("redeploy", "worker", 33),
        switch(40, on=False),
        change("orders", 50, "max_receive_count", 2),
        change("worker", 60, "reserved_concurrency", None),
        change("worker", 70, "provisioned_concurrency", 3),
        change("orders", 90, "visibility_timeout", 60),
        switch(100, on=True),
        change(MAPPING, 130, "maximum_concurrency", 9),
        change("worker", 170, "provisioned_concurrency", 0),
        Action("redrive", "orders-dlq", 200),
    ]
    faults = FaultPlan(windows=[Window("error", "worker", 20, 30), Window("lost_delete", "", 150, 20)])
    history = run(actions, design=design, load=[Steady("orders", 3, 200)], faults=faults, seed=seed)
    assert len(history.each(Operated)) == len(actions)

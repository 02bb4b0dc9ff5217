"""Settings that an operator changes hold when they should, for what they should."""

from __future__ import annotations

import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import DeadLettered, Expired, InvocationEnded, Operated, PollersChanged, Received, Throttled
from chaosqs.model.faults import Action, FaultPlan, Window
from chaosqs.model.workload import Burst, Steady
from tests.calibration.designs import one_mapping
from tests.simulation import consumers
from tests.simulation.operated_handlers import looks
from tests.simulation.operating import HOLDS_AFTER, MAPPING, busiest, change, holds_after, messages, run, starts, switch


def test_DLQ_3_a_lower_max_receive_count_moves_what_is_in_flight_at_its_next_receive() -> None:
    """Each message was received twice or less; the receive after the change finds it over 1, and moves it."""
    faults = FaultPlan(windows=[Window("error", "worker", 0, 3_000)])
    history = run([change("orders", 31.5, "max_receive_count", 1)], load=[Burst("orders", 5)], faults=faults)
    fates = [event for _, event in history.each(DeadLettered)]
    assert sorted(event.message for event in fates) == [0, 1, 2, 3, 4]
    assert {event.receive_count for event in fates} == {2}
    assert all(event.at >= 60_000 for event in fates)
    assert history.design_at(len(history.events)).queue("orders").redrive == Redrive("orders-dlq", 1)


def test_EC_11_a_visibility_timeout_below_the_functions_is_accepted_later_and_duplicates_follow() -> None:
    """The mapping is not asked; each batch runs again while it still runs."""
    design = one_mapping(visibility=30, timeout=20, receives=5, batch=1)
    history = run([change("orders", 1, "visibility_timeout", 3)], design=design, load=[Burst("orders", 2, at=2)])
    received = [event for _, event in history.each(Received)]
    assert {event.visible_at - event.at for event in received} == {3_000}
    assert messages(history)["processed_twice"] == 2


def test_RT_3_a_shorter_retention_holds_for_the_messages_that_are_there() -> None:
    """Assumed: at once. What waits longer than a minute expires then."""
    design = one_mapping(timeout=5, receives=5, batch=1, reserved=0)
    history = run([change("orders", 100, "retention_period", 60)], design=design, load=[Burst("orders", 3)])
    assert {event.at for _, event in history.each(Expired)} == {100_000}
    assert messages(history)["expired"] == 3


@pytest.mark.parametrize(("name", "first"), [("orders", 40_000), ("orders.fifo", 12_000)])
def test_DL_3_a_shorter_delay_holds_for_new_messages_and_in_fifo_queues_for_all(name: str, first: int) -> None:
    """From 40 s to 2 s, changed at 12 s: the message of moment 0 comes at 40 s, and out of a FIFO queue at once."""
    design = Design([Queue(name, delay=40)], [Function("worker")], [EventSourceMapping(name, "worker")])
    load = [Burst(name, 1, groups=1), Burst(name, 1, at=50, groups=1)]
    history = run([change(name, 12, "delay", 2)], design=design, load=load, behaviour=Behaviour())
    assert [event.at for _, event in history.each(Received)] == [first, 52_000]


def test_LX_1_a_timeout_holds_for_the_invocations_that_start_later() -> None:
    """The invocation that runs keeps its 5 seconds; the next one of 4 s is ended after 2, in a new environment."""
    load = [Burst("orders", 1), Burst("orders", 1, at=10)]
    history = run([change("worker", 2, "timeout", 2)], load=load, until=20)
    assert [(event.outcome, event.duration) for _, event in history.each(InvocationEnded)] == [
        ("succeeded", 4_000),
        ("timed_out", 2_000),
    ]
    assert [event.cold for event in starts(history)] == [True, True]


def test_LX_3_more_memory_makes_a_function_faster_that_computes() -> None:
    """From 128 MB to one vCPU: a fourteenth of the time."""
    behaviour = Behaviour(seconds_per_batch=0.1, memory_scales=True)
    load = [Burst("orders", 1), Burst("orders", 1, at=10)]
    history = run([change("worker", 5, "memory", 1769)], load=load, behaviour=behaviour)
    assert [event.duration for _, event in history.each(InvocationEnded)] == [1382, 100]


def test_LC_3_a_lower_reservation_lets_what_runs_finish_and_throttles_the_rest() -> None:
    """From 5 to 2 under load: nothing starts until less than 2 run, and the limit of the throttles is 2."""
    design = one_mapping(timeout=5, receives=50, batch=1, reserved=5)
    history = run([change("worker", 2, "reserved_concurrency", 2)], design=design)
    assert busiest(history, 0, 2) == 5
    assert busiest(history, 5) == 2
    assert not [event for event in starts(history) if 2_000 <= event.at < 4_000]
    assert {event.limit for _, event in history.each(Throttled) if event.at >= 2_000} == {2}
    assert messages(history)["processed"] == 60


@pytest.mark.parametrize(("value", "most"), [(8, 8), (None, 20)])
def test_LC_3_a_higher_reservation_holds_at_once(value: int | None, most: int) -> None:
    """What was throttled starts as soon as its poller tries again; without a reservation the account's limit holds."""
    design = one_mapping(timeout=5, receives=50, batch=1, reserved=2)
    history = run([change("worker", 20, "reserved_concurrency", value)], design=design, load=[Burst("orders", 150)])
    assert busiest(history, 0, 20) == 2
    assert busiest(history, 20) >= most if value is None else busiest(history, 20) == most


def test_LC_2_a_reservation_takes_from_what_others_share() -> None:
    """Two functions share 10; the first one's 8 leave the second 2, and what runs of it goes on."""
    queues = [Queue(name, redrive=Redrive("dlq", 50)) for name in ("orders", "others")]
    design = Design(
        [*queues, Queue("dlq")],
        [Function("worker", timeout=5), Function("other", timeout=5)],
        [EventSourceMapping("orders", "worker", batch_size=1), EventSourceMapping("others", "other", batch_size=1)],
        Account(200, other_traffic=94),
    )
    actions = [change("worker", 10, "reserved_concurrency", 100), change("worker", 40, "reserved_concurrency", None)]
    history = run(actions, design=design, load=[Steady("orders", 5, 60), Steady("others", 5, 60)])
    limits = {event.limit for _, event in history.each(Throttled) if 10_000 <= event.at < 40_000}
    assert limits <= {6, 100}
    assert {event.limit for _, event in history.each(Throttled) if event.at < 10_000} <= {106}
    assert messages(history)["processed"] == 600


def test_EC_21_a_change_of_a_mapping_holds_after_a_while_with_new_pollers() -> None:
    """Batches of 2 until then, of 1 afterwards; the pollers are numbered on, and the change is the cause."""
    design = one_mapping(timeout=5, receives=50, batch=2)
    history = run([change(MAPPING, 5, "batch_size", 1)], design=design, load=[Steady("orders", 4, 120)])
    index, operated = history.each(Operated)[0]
    settled, changed = next(entry for entry in history.each(PollersChanged) if entry[1].cause == index)
    assert (operated.at, operated.setting, operated.value) == (5_000, "batch_size", "1")
    assert (changed.at, changed.pollers, changed.why) == (5_000 + HOLDS_AFTER, 0, "batch_size is 1 now")
    received = history.each(Received)
    assert max(len(event.messages) for at, event in received if at < settled) == 2
    assert {len(event.messages) for at, event in received if at > settled} == {1}
    old = {event.poller for at, event in received if at < settled}
    assert min(event.poller for at, event in received if at > settled) > max(old)
    assert history.design_at(settled - 1).mappings[0].batch_size == 2
    assert history.design_at(settled).mappings[0].batch_size == 1
    assert messages(history)["processed"] == 480


def test_EC_23_a_mapping_that_is_disabled_finishes_what_its_pollers_carry() -> None:
    """Nothing is received after that, what was received is processed, and the run does not wait for the rest."""
    history = run([switch(0.25, on=False)], load=[Steady("orders", 2, 100)])
    (settled,) = [index for index, event in history.each(PollersChanged) if event.why == "enabled is False now"]
    assert not [index for index, _ in history.each(Received) if index > settled]
    assert len([event for event in starts(history) if event.at < 250 + HOLDS_AFTER < event.at + 4_000]) > 2
    received = {message for _, event in history.each(Received) for message in event.messages}
    assert messages(history)["processed"] == len(received) < 200
    assert messages(history)["remaining"] == 200 - len(received)
    assert history.drained_at_ms is None
    assert history.ended_at_ms < 110_000


def test_EC_23_a_batch_that_is_gathered_when_the_mapping_is_disabled_is_handed_over() -> None:
    """Its window closes afterwards, and it is processed."""
    mapping = EventSourceMapping("orders", "worker", batch_size=100, maximum_batching_window=60)
    design = Design([Queue("orders", visibility_timeout=300)], [Function("worker", timeout=5)], [mapping])
    load = [Burst("orders", 7, at=10)]
    history = run([switch(0, on=False)], design=design, load=load)
    assert [event.messages for event in starts(history, 60)] == [(0, 1, 2, 3, 4, 5, 6)]
    assert messages(history)["processed"] == 7


def test_EC_21_a_mapping_that_is_enabled_again_processes_what_has_waited() -> None:
    """Also one that was disabled from the start; a run does not end before its last action has had its effect."""
    design = one_mapping(timeout=5, receives=5, batch=1)
    mapping = EventSourceMapping("orders", "worker", batch_size=1, enabled=False)
    design = Design(design.queues, design.functions, [mapping])
    history = run([switch(100, on=True)], design=design, load=[Burst("orders", 8)])
    assert history.each(Received)[0][1].at == 100_000 + HOLDS_AFTER
    assert messages(history)["processed"] == 8
    again = [switch(0, on=False), switch(100, on=True)]
    assert messages(run(again, load=[Steady("orders", 2, 100)]))["processed"] == 200


@pytest.mark.parametrize(("before", "after"), [(10, 3), (3, 10), (None, 2), (2, None)])
@pytest.mark.parametrize("seed", [0, 1])
def test_MC_1_a_maximum_concurrency_holds_when_the_batches_from_before_are_done(
    before: int | None, after: int | None, seed: int
) -> None:
    """What is in flight goes on; a new batch is received only where both together stay below the new maximum."""
    design = one_mapping(timeout=5, receives=50, batch=1, maximum=before, era="2025-11")
    load = [Steady("orders", 5, 120)]
    history = run([change(MAPPING, 0, "maximum_concurrency", after)], design=design, load=load, seed=seed)
    settled = holds_after(seed) / 1000
    if before is not None:
        assert busiest(history, 0, settled) == before
    if after is not None:
        assert busiest(history, settled + 5) == after
        old = sum(event.at < holds_after(seed) <= event.at + 4_000 for event in starts(history))
        assert busiest(history, settled) <= max(old, after)
    assert messages(history)["processed"] == 600


def test_MC_1_throttled_batches_from_before_a_change_count_too() -> None:
    """The pollers hold 8 batches that Lambda refuses; with a maximum of 2 nothing is received until 7 are given up."""
    design = one_mapping(timeout=5, receives=50, batch=1, reserved=0, visibility=300, era="2025-11")
    history = run([change(MAPPING, 0, "maximum_concurrency", 2)], design=design, load=[Burst("orders", 60)], until=400)
    late = [event.at for _, event in history.each(Received) if event.at >= HOLDS_AFTER]
    assert late[0] >= 300_000


def test_PB_1_reported_failures_count_from_the_change_on() -> None:
    """Off: the answer is disregarded and the poison deleted with its batch; on: it alone comes back."""
    design = one_mapping(timeout=5, receives=2, batch=2)
    load = [Burst("orders", 2), Burst("orders", 2, at=100)]
    behaviour = Behaviour(poison=[0, 2], seconds_per_batch=1)
    history = run(
        [Action("change", MAPPING, 0, "report_batch_item_failures", value=True)],
        design=design,
        load=load,
        behaviour=behaviour,
    )
    second = [event for event in starts(history, 100) if 3 in event.messages]
    assert len(second) == 1
    assert [event.message for _, event in history.each(DeadLettered)][-1] == 2


def test_real_code_sees_what_an_operator_has_changed() -> None:
    """Its context has the memory and the time of the new deployment, and SQS the new attributes."""
    consumers.forget()
    actions = [
        change("worker", 10, "memory", 256),
        change("worker", 11, "timeout", 4),
        change("orders", 12, "visibility_timeout", 60),
        Action("redrive", "orders-dlq", 15),
    ]
    run(
        actions,
        load=[Burst("orders", 1), Burst("orders", 1, at=20)],
        behaviour=Behaviour(handler=f"{looks.__module__}:{looks.__name__}"),
    )
    assert consumers.NOTES[:2] == [("128", 5000, "30"), ("256", 4000, "60")]

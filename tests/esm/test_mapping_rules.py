"""The event source mapping by the ledger: how it reads, when it deletes, how it scales, when it gives up."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from chaosqs.esm.machines.scaling import SCALING_LIMITS, Scaling, ScalingLimits, scaling_limits
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, Era, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import (
    Deleted,
    InvocationEnded,
    InvocationStarted,
    PollersChanged,
    Received,
    ReceivedNothing,
    Released,
    Returned,
    Throttled,
)
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load
from chaosqs.simulation.run import simulate
from tests.calibration.designs import one_mapping

QUICK = Behaviour(seconds_per_batch=0.05)
CALM = Assumptions(latency_spread=0)


def run(
    design: Design,
    *loads: Load,
    behaviour: Behaviour = QUICK,
    faults: FaultPlan = FaultPlan(),
    until: float | None = None,
    seed: int = 0,
) -> History:
    """Run one function behind a design's queues."""
    return simulate(Scenario(design, loads, {"worker": behaviour}, faults, seed=seed, until=until, assumptions=CALM))


def starts(history: History) -> list[InvocationStarted]:
    """Return the starts of invocations."""
    return [event for event in history.events if isinstance(event, InvocationStarted)]


def deletes(history: History) -> list[Deleted]:
    """Return the deletes."""
    return [event for event in history.events if isinstance(event, Deleted)]


# Reading and deleting -----------------------------------------------------------------------------------------------


def test_EP_1_a_long_poll_ends_with_the_first_message_and_its_batch_is_one_invocation() -> None:
    """After an empty poll of 20 seconds the next one waits until something comes."""
    history = run(one_mapping(), Burst("orders", 1, at=33))
    assert {event.every for event in history.events if isinstance(event, ReceivedNothing)} == {20_000}
    (received,) = [event for event in history.events if isinstance(event, Received)]
    (start,) = starts(history)
    assert received.at == 33_000
    assert start.at == 33_000 + CALM.receive_latency + CALM.invoke_latency
    assert start.messages == received.messages == (0,)


def test_EP_12_a_batch_has_the_order_of_its_receive() -> None:
    """Nothing sorts it: not by age, not by receive count."""
    history = run(one_mapping(), Burst("orders", 60, over=40), behaviour=Behaviour(poison=(3, 20)), until=70, seed=1)
    for start in starts(history):
        assert start.cause is not None
        received = history.events[start.cause]
        assert isinstance(received, Received)
        assert start.messages == received.messages


@pytest.mark.parametrize("fault", ["lost_response", "lost_delete"])
def test_EP_13_EF_5_a_message_that_succeeded_may_run_again(fault: str) -> None:
    """Nobody failed, and when its visibility ends it is there again."""
    history = run(one_mapping(), Burst("orders", 1), faults=FaultPlan([(fault,)]))
    ends = [event.outcome for event in history.events if isinstance(event, InvocationEnded)]
    assert ends == ["succeeded", "succeeded"]
    assert [event.at for event in history.events if isinstance(event, Returned)] == [30_000]
    summary = history.summary()
    assert summary["messages"]["processed_twice"] == 1
    assert summary["mappings"]["orders→worker"]["DeletedEventCount"] == 1, "one that fails counts nothing"


def test_EF_1_the_mapping_deletes_a_batch_after_its_success() -> None:
    """All of it at once, because of the success, and before that nothing."""
    history = run(one_mapping(), Burst("orders", 10))
    (delete,) = deletes(history)
    assert delete.messages == tuple(range(10))
    assert delete.cause is not None
    end = history.events[delete.cause]
    assert isinstance(end, InvocationEnded)
    assert delete.at == end.at + CALM.delete_latency


def test_EF_7_a_late_success_deletes_what_nobody_has_received_since() -> None:
    """Both pollers are busy when the visibility ends, so each message is gone after all."""
    design = one_mapping(visibility=10, timeout=10, batch=1, maximum=2)
    history = run(design, Burst("orders", 2), behaviour=Behaviour(seconds_per_batch=9.9))
    assert [event.message for event in history.events if isinstance(event, Returned)] == [0, 1]
    assert [(event.messages, event.stayed) for event in deletes(history)] == [((0,), ()), ((1,), ())]
    assert len(starts(history)) == 2


def test_EF_8_while_polling_fails_nothing_is_received() -> None:
    """And nothing is counted: the message is received for the first time afterwards."""
    outage = FaultPlan(windows=[Window("failed_receive", "orders", 0, 7)])
    history = run(one_mapping(), Burst("orders", 1), faults=outage)
    received = [event for event in history.events if isinstance(event, Received)]
    assert [event.receive_counts for event in received] == [(1,)]
    assert 7000 <= received[0].at <= 9000
    assert history.summary()["messages"]["processed"] == 1


def test_EF_6_CW_3_CW_30_a_delete_that_is_refused_counts_nothing() -> None:
    """On a FIFO queue a late one is; on a standard queue it succeeds whatever it does."""
    found: dict[str, tuple[float, float]] = {}
    for name in ("orders.fifo", "orders"):
        design = Design(
            [Queue(name, visibility_timeout=10)],
            [Function("worker", timeout=10)],
            [EventSourceMapping(name, "worker", batch_size=1)],
        )
        history = run(design, Burst(name, 1, groups=1), behaviour=Behaviour(seconds_per_batch=9.9), until=11)
        assert [event.stayed for event in deletes(history)] == [(0,)]
        summary = history.summary()
        deleted = summary["queues"][name]["NumberOfMessagesDeleted"]
        found[name] = deleted, summary["mappings"][f"{name}→worker"]["DeletedEventCount"]
    assert found == {"orders.fifo": (0, 0), "orders": (1, 1)}


@pytest.mark.parametrize(("fault", "taken"), [("lost_delete", 1), ("lost_delete_response", 2)])
def test_CW_3_CW_30_the_queue_counts_what_it_took_and_the_mapping_what_it_learned(fault: str, taken: int) -> None:
    """A request that got lost is none to the queue, and an answer that got lost is none to the mapping."""
    summary = run(one_mapping(), Burst("orders", 1), faults=FaultPlan([(fault,)])).summary()
    assert summary["queues"]["orders"]["NumberOfMessagesDeleted"] == taken
    assert summary["mappings"]["orders→worker"]["DeletedEventCount"] == 1


# Scaling ------------------------------------------------------------------------------------------------------------


def pollers(history: History) -> list[tuple[int, int]]:
    """Return how many pollers there were from when on."""
    return [(event.at, event.pollers) for event in history.events if isinstance(event, PollersChanged)]


@pytest.mark.parametrize(("era", "after_a_minute"), [("2018-06", 65), ("2023-11", 305), ("2025-11", 305)])
def test_ES_1_ES_2_a_mapping_starts_with_5_and_grows_while_messages_wait(era: Era, after_a_minute: int) -> None:
    """By 60 a minute, or by 300 under the later laws; not beyond what there is to do."""
    design = one_mapping(visibility=900, timeout=900, batch=1, era=era)
    history = run(design, Burst("orders", 400), behaviour=Behaviour(seconds_per_batch=600), until=60.1)
    assert pollers(history)[0] == (0, 5)
    assert pollers(history)[-1][1] == after_a_minute
    few = run(design, Burst("orders", 5), behaviour=Behaviour(seconds_per_batch=600), until=60)
    assert pollers(few) == [(0, 5)]


@pytest.mark.parametrize(("era", "ceiling"), [("2018-06", 1000), ("2023-11", 1250), ("2025-11", 1250)])
def test_ES_3_growth_ends_at_the_ceiling(era: Era, ceiling: int) -> None:
    """However many messages wait."""
    scaling = scaled(SCALING_LIMITS[era])
    for _ in range(2000):
        scaling.grow(throttled=False)
    assert scaling.pollers == ceiling


def scaled(following: ScalingLimits, assumed: Assumptions = Assumptions()) -> Scaling:
    """Return the scaling of a mapping."""
    return Scaling(
        following,
        held_batches=assumed.held_batches,
        receive_after_giving_up=bool(assumed.receive_after_giving_up),
        throttled_growth=assumed.throttled_growth,
        long_poll=assumed.long_poll,
        idle_reduction=assumed.idle_reduction,
        let_go_on_error=assumed.let_go_on_error,
        let_go_in_proportion=assumed.let_go_in_proportion,
    )


def test_ES_10_a_poller_that_gave_up_receives_again_if_there_are_not_too_many() -> None:
    """Assumed, with both ends; one whose batch is done goes while others are throttled."""
    for receives, pollers, gave_up, goes in (
        (1, 8, True, False),
        (1, 9, True, True),
        (0, 8, True, True),
        (1, 8, False, True),
    ):
        scaling = scaled(SCALING_LIMITS["2025-11"], Assumptions(receive_after_giving_up=receives))
        scaling.pollers = pollers
        assert scaling.release_while_throttled(gave_up=gave_up) is goes
        assert scaling.pollers == pollers - goes


def test_ES_7_an_error_costs_a_fixed_part_of_a_poller_and_a_part_of_all_at_most_one() -> None:
    """The last poller stays, whatever fails."""
    for fixed, part, start, left in ((0, 25, 40, 31), (0, 25, 20, 16), (50, 0, 40, 35), (0, 1000, 5, 1), (0, 0, 5, 5)):
        scaling = scaled(SCALING_LIMITS["2025-11"], Assumptions(let_go_on_error=fixed, let_go_in_proportion=part))
        scaling.pollers = start
        for _ in range(10):
            scaling.release_after_error()
        assert scaling.pollers == left


@pytest.mark.parametrize(
    ("era", "maximum", "fewest"), [("2023-11", None, 5), ("2025-11", None, 2), ("2025-11", 4, 4)], ids=str
)
def test_ES_5_an_idle_mapping_goes_back_to_5_and_on_to_2(era: Era, maximum: int | None, fewest: int) -> None:
    """To 2 by the latest law only, after some minutes, and not with a maximum concurrency."""
    design = one_mapping(timeout=10, batch=1, maximum=maximum, era=era)
    loads = [Burst("orders", 60), Burst("orders", 1, at=1200)]
    history = run(design, *loads, behaviour=Behaviour(seconds_per_batch=5))
    assert pollers(history)[-1][1] == fewest
    assert max(number for _, number in pollers(history)) > 5 or maximum is not None


def test_ES_6_a_fifo_queue_scales_as_any_other() -> None:
    """Where it has groups enough."""

    def growth(queue: str, groups: int) -> list[tuple[int, int]]:
        design = Design(
            [Queue(queue, visibility_timeout=900)],
            [Function("worker", timeout=900)],
            [EventSourceMapping(queue, "worker", batch_size=1)],
        )
        behaviour = Behaviour(seconds_per_batch=600)
        return pollers(run(design, Burst(queue, 100, groups=groups), behaviour=behaviour, until=10))

    assert growth("orders.fifo", 100) == growth("orders", 0)


def test_PM_3_provisioned_pollers_grow_by_1000_invocations_a_minute() -> None:
    """From ten for each of the minimum up to ten for each of the maximum."""
    mapping = EventSourceMapping("orders", "worker", batch_size=1, provisioned_pollers=(2, 12))
    design = Design([Queue("orders", visibility_timeout=900)], [Function("worker", timeout=900)], [mapping])
    history = run(design, Burst("orders", 200), behaviour=Behaviour(seconds_per_batch=600), until=10)
    changes = pollers(history)
    assert (changes[0], changes[-1]) == ((0, 20), (6000, 120))
    assert {later - earlier for (earlier, _), (later, _) in pairwise(changes)} == {60}
    assert scaling_limits(mapping, "2025-11").minimum == 20


# Throttles ----------------------------------------------------------------------------------------------------------


def held(*, until: float | None = None) -> History:
    """Run a mapping whose function is switched off."""
    return run(one_mapping(reserved=0, batch=1), Burst("orders", 1), until=until, seed=3)


def test_ES_8_a_throttled_batch_is_tried_again_until_its_visibility_ends() -> None:
    """Then the poller forgets it, and deletes nothing."""
    history = held(until=30)
    throttles = [event.at for event in history.events if isinstance(event, Throttled)]
    assert len(throttles) > 2
    assert max(throttles) < 30_000
    (received,) = [event for event in history.events if isinstance(event, Received) and event.at < 30_000]
    assert received.visible_at == 30_000
    assert [(event.at, event.why) for event in history.events if isinstance(event, Released)] == [(30_000, "throttled")]
    assert deletes(history) == []


def test_ES_9_each_cycle_of_throttles_costs_a_receive() -> None:
    """Though no code has run, the count goes up by one each visibility timeout."""
    history = held(until=95)
    received = [event for event in history.events if isinstance(event, Received)]
    assert [event.receive_counts for event in received] == [(1,), (2,), (3,), (4,)]
    assert [event.at for event in received] == [0, 30_000, 60_000, 90_000]
    assert starts(history) == []


def test_ES_10_pauses_between_retries_double_up_to_a_limit() -> None:
    """With full jitter: each is drawn between nothing and its ceiling."""
    longest: Counter[int] = Counter()
    for seed in range(60):
        design = one_mapping(visibility=900, reserved=0, batch=1)
        history = run(design, Burst("orders", 1), until=100, seed=seed)
        throttles = [event for event in history.events if isinstance(event, Throttled)]
        for earlier, later in pairwise(throttles):
            longest[earlier.attempt] = max(longest[earlier.attempt], later.at - earlier.at)
    for attempt, ceiling in ((1, 6000), (2, 12_000), (3, 12_000)):
        assert 0.7 * ceiling < longest[attempt] <= ceiling


# FIFO queues and metrics --------------------------------------------------------------------------------------------


def test_EQ_5_a_reported_failure_is_received_twice_and_then_dead_lettered() -> None:
    """By a maximum of two receives; its later messages come after it."""
    mapping = EventSourceMapping("orders.fifo", "worker", report_batch_item_failures=True)
    queues = [Queue("orders.fifo", redrive=Redrive("dead.fifo", 2)), Queue("dead.fifo")]
    design = Design(queues, [Function("worker")], [mapping])
    history = run(design, Burst("orders.fifo", 1, groups=1), behaviour=Behaviour(poison=(0,)))
    received = [event for event in history.events if isinstance(event, Received)]
    assert [event.receive_counts for event in received] == [(1,), (2,)]
    assert [fate.event.receive_count for fate in history.dead_lettered] == [2]
    assert history.summary()["functions"]["worker"]["Errors"] == 0


def test_CW_33_a_disabled_mapping_has_no_metrics() -> None:
    """Nor does its queue have receives."""
    design = Design([Queue("orders")], [Function("worker")], [EventSourceMapping("orders", "worker", enabled=False)])
    summary = run(design, Burst("orders", 3), until=100).summary()
    assert set(summary["mappings"]["orders→worker"].values()) == {0}
    assert summary["queues"]["orders"]["NumberOfMessagesReceived"] == 0

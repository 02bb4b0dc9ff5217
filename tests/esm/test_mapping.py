"""The event source mapping at run time: windows, filters, FIFO queues, scaling, competing mappings."""

from __future__ import annotations

import json

import attrs
import pytest

from chaosqs.errors import InvalidDesign
from chaosqs.invariants import ALL
from chaosqs.invariants.registry import check
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.delivery import Ending
from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import (
    Deleted,
    Event,
    FilteredOut,
    InvocationEnded,
    InvocationStarted,
    Received,
    Released,
    Returned,
)
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import History
from chaosqs.model.json import Json
from chaosqs.model.message import Message, attribute
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load, Steady
from chaosqs.simulation.run import simulate
from tests.calibration.designs import one_mapping


def run(design: Design, load: Load, behaviour: Behaviour, **settings: float) -> History:
    """Run one load and prove that the fake's own books are right."""
    until, seed = settings.get("until"), int(settings.get("seed", 0))
    faults = FaultPlan()
    history = simulate(Scenario(design, [load], {"worker": behaviour}, faults, seed=seed, until=until), verify=True)
    assert [violation for violation in check(history, ALL) if violation.invariant == "conservation"] == []
    return history


def windowed(batch: int, window: int, visibility_timeout: int = 60) -> Design:
    """Return a queue and a function with a batching window between them."""
    return Design(
        [Queue("orders", visibility_timeout=visibility_timeout)],
        [Function("worker", timeout=10)],
        [EventSourceMapping("orders", "worker", batch_size=batch, maximum_batching_window=window)],
    )


def started(history: History) -> list[tuple[int, ...]]:
    """Return the batches in the order in which they began to run."""
    return [event.messages for event in history.events if isinstance(event, InvocationStarted)]


def only(history: History, *kinds: type[Event]) -> list[Event]:
    """Return the events of some kinds."""
    return [event for event in history.events if isinstance(event, kinds)]


def test_EP_3_without_a_window_one_receive_is_one_batch() -> None:
    """Whatever a receive returned is invoked at once."""
    history = run(windowed(10, 0), Steady("orders", 4, 2), Behaviour())
    assert [len(batch) for batch in started(history)] == [1] * 8


def test_EP_4_EP_7_a_window_gathers_until_it_closes() -> None:
    """The messages of a window run together; the first one opens it."""
    design = windowed(100, 5)
    history = run(design, Burst("orders", 80, over=8), Behaviour(), seed=0)
    batches = started(history)
    assert sum(map(len, batches)) == 80
    assert [len(batch) for batch in batches[:5]] == [11] * 5, "each of five pollers has its own batch (EP-7)"
    first = next(event for event in history.events if isinstance(event, InvocationStarted))
    assert 5000 <= first.at <= 5100


def test_EP_4_a_full_batch_does_not_wait() -> None:
    """Batch size reached: invoked long before the window closes, out of receives of ten."""
    history = run(windowed(40, 300, visibility_timeout=900), Burst("orders", 400), Behaviour(), until=10)
    batches = started(history)
    assert [len(batch) for batch in batches[:5]] == [40] * 5
    assert next(event.at for event in history.events if isinstance(event, InvocationStarted)) < 1000
    assert all(len(event.messages) <= 10 for event in history.events if isinstance(event, Received))


@pytest.mark.parametrize(("kilobytes", "fit"), [(256, 23), (1024, 5)])
def test_A9_EP_9_six_megabytes_cut_a_batch(kilobytes: int, fit: int) -> None:
    """At most 23 messages of 256 KB, or 5 of 1 MiB; the one that did not fit starts the next batch."""
    design = Design(
        [Queue("orders", visibility_timeout=60)],
        [Function("worker", timeout=10)],
        [EventSourceMapping("orders", "worker", batch_size=10_000, maximum_batching_window=5)],
    )
    history = run(design, Burst("orders", 120, body_bytes=kilobytes * 1024), Behaviour(), until=30)
    batches = started(history)
    assert max(map(len, batches)) == fit
    assert sorted(message for batch in batches for message in batch) == list(range(120))


@pytest.mark.parametrize("waits", [0, 1])
def test_EQ_6_messages_cut_off_behind_a_failed_one_go_on_or_wait(waits: int) -> None:
    """Of eight of 1 MiB five fit; the others run at once, before the failed ones, or come back with them, in order."""
    design = Design(
        [Queue("orders.fifo", visibility_timeout=30)],
        [Function("worker", timeout=3)],
        [EventSourceMapping("orders.fifo", "worker")],
    )
    load = Burst("orders.fifo", 8, body_bytes=1_048_576, groups=1)
    assumptions = Assumptions(cut_off_messages_wait=waits)
    history = simulate(Scenario(design, [load], {"worker": Behaviour(poison=[1])}, until=40, assumptions=assumptions))
    first, second = (0, 1, 2, 3, 4), (5, 6, 7)
    assert started(history) == ([first, first] if waits else [first, second, first])
    back = [each.messages for each in history.events if isinstance(each, Released) and each.why == "held back"]
    assert back == ([second, second] if waits else [])
    endings = [each.ending for each in history.deliveries[5]]
    assert endings[0] is (Ending.HELD_BACK if waits else Ending.PROCESSED)


def test_EP_10_a_window_longer_than_the_visibility_timeout_delivers_twice() -> None:
    """Visibility counts from the receive; messages that wait in a window come back meanwhile."""
    design = windowed(1000, 60, visibility_timeout=30)
    history = run(design, Burst("orders", 5), Behaviour(), until=200)
    assert history.summary()["messages"]["processed_twice"] > 0


def test_G_29_FL_1_FL_2_what_matches_no_filter_is_deleted_unseen() -> None:
    """FilteredOutEventCount counts it; it costs a receive, and no invocation."""
    pattern = json.dumps({"body": {"message": [{"numeric": [">=", 2]}]}})
    mapping = EventSourceMapping("orders", "worker", filters=[pattern])
    design = Design([Queue("orders")], [Function("worker")], [mapping])
    history = run(design, Burst("orders", 5), Behaviour())
    assert started(history) == [(2, 3, 4)]
    assert [event.messages for event in only(history, FilteredOut) if isinstance(event, FilteredOut)] == [(0, 1)]
    summary = history.summary()
    assert summary["mappings"]["orders→worker"]["FilteredOutEventCount"] == 2
    assert summary["queues"]["orders"]["NumberOfMessagesReceived"] == 5
    assert summary["queues"]["orders"]["NumberOfMessagesDeleted"] == 5
    assert summary["messages"]["remaining"] == 0
    assert check(history, ALL) == ()


ORDERS = [
    Message({"n": 1}, attributes={"kind": attribute("order")}),
    Message({"n": 2}, attributes={"kind": attribute("refund")}),
]


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ({"messageAttributes": {"kind": {"stringValue": ["order"]}}}, [0]),
        ({"messageAttributes": {"kind": {"stringValue": [{"prefix": "re"}]}}}, [1]),
        ({"attributes": {"ApproximateReceiveCount": ["1"]}}, [0, 1]),
        ({"attributes": {"ApproximateReceiveCount": ["2"]}}, []),
        ({"eventSource": ["aws:sqs"], "awsRegion": ["us-east-1"]}, [0, 1]),
        ({"eventSourceARN": [{"suffix": ":orders"}], "body": {"n": [2]}}, [1]),
        ({"eventSourceARN": ["arn:aws:sqs:us-east-1:123456789012:others"]}, []),
        ({"$or": [{"body": {"n": [1]}}, {"messageAttributes": {"kind": {"stringValue": ["refund"]}}}]}, [0, 1]),
        ({"messageAttributes": {"nothing": {"stringValue": [{"exists": False}]}}}, [0, 1]),
    ],
)
def test_FL_4_FL_7_other_keys_test_the_event_record_or_match_nothing(
    pattern: dict[str, Json], wanted: list[int]
) -> None:
    """AWS's texts contradict each other, so it is an assumption: by the other end, only filters on the body match."""
    mapping = EventSourceMapping("orders", "worker", batch_size=1, filters=[json.dumps(pattern)])
    scenario = Scenario(Design([Queue("orders")], [Function("worker")], [mapping]), [Burst("orders", messages=ORDERS)])
    history = simulate(scenario)
    assert sorted(message for batch in started(history) for message in batch) == wanted
    assert not check(history, ALL)
    history = simulate(attrs.evolve(scenario, assumptions=Assumptions(metadata_filters=0)))
    assert started(history) == []
    assert [event.rules for _, event in history.each(FilteredOut)] == [("FL-2",), ("FL-2",)]


def test_FL_4_FL_7_a_filter_on_the_body_beside_one_on_another_key_goes_on_matching() -> None:
    """Filters are alternatives."""
    filters = [json.dumps({"body": {"n": [1]}}), json.dumps({"eventSource": ["aws:sqs"]})]
    mapping = EventSourceMapping("orders", "worker", batch_size=1, filters=filters)
    design = Design([Queue("orders")], [Function("worker")], [mapping])
    assumed = Assumptions(metadata_filters=0)
    assert started(simulate(Scenario(design, [Burst("orders", messages=ORDERS)], assumptions=assumed))) == [(0,)]


def test_EC_24_a_filter_that_AWS_refuses_is_refused() -> None:
    """With AWS's words for it."""
    mapping = EventSourceMapping("orders", "worker", filters=['{"body": "text"}'])
    with pytest.raises(InvalidDesign, match=r"filters\[0\].*Invalid filter pattern definition.*EC-24"):
        Design([Queue("orders")], [Function("worker")], [mapping])


def fifo(**settings: int) -> Design:
    """Return a FIFO queue with a dead-letter queue and a function."""
    batch = settings.get("batch", 10)
    return Design(
        [
            Queue("orders.fifo", visibility_timeout=30, redrive=Redrive("dead.fifo", settings.get("receives", 3))),
            Queue("dead.fifo"),
        ],
        [Function("worker", timeout=10)],
        [EventSourceMapping("orders.fifo", "worker", batch_size=batch)],
    )


def test_EQ_1_one_group_is_never_in_two_invocations_and_groups_bound_concurrency() -> None:
    """As many invocations at once as there are groups, each group in its order."""
    history = run(fifo(batch=1), Burst("orders.fifo", 24, groups=3), Behaviour(seconds_per_batch=1))
    running: list[int] = []
    most = 0
    for event in history.events:
        if isinstance(event, InvocationStarted):
            groups = [message % 3 for message in event.messages]
            assert not set(groups) & set(running)
            running += groups
            most = max(most, len(running))
        elif isinstance(event, InvocationEnded):
            for message in event.messages:
                running.remove(message % 3)
    assert most == 3
    order = [message for batch in started(history) for message in batch]
    assert all([m for m in order if m % 3 == group] == list(range(group, 24, 3)) for group in range(3))


def test_EQ_2_a_batch_may_hold_several_groups() -> None:
    """Groups fill one batch."""
    history = run(fifo(), Burst("orders.fifo", 4, groups=4), Behaviour())
    assert len(started(history)[0]) == 4


def test_EQ_3_a_failed_batch_blocks_its_groups_until_it_is_dead_lettered() -> None:
    """Later messages of the group wait; the dead-letter queue takes the failing one out of order (DLQ-14)."""
    history = run(fifo(batch=1, receives=2), Burst("orders.fifo", 3, groups=1), Behaviour(poison=(0,)))
    assert started(history) == [(0,), (0,), (1,), (2,)]
    assert [fate.event.message for fate in history.dead_lettered] == [0]
    assert history.dead_lettered[0].event.at == 60_000


def test_EF_6_a_late_success_on_fifo_is_delivered_again() -> None:
    """The delete must fail once the receipt handle has expired (RH-5)."""
    design = Design(
        [Queue("orders.fifo", visibility_timeout=10)],
        [Function("worker", timeout=10)],
        [EventSourceMapping("orders.fifo", "worker")],
    )
    history = run(design, Burst("orders.fifo", 1, groups=1), Behaviour(seconds_per_batch=9.99), until=15)
    assert len(started(history)) == 2
    assert [event.stayed for event in only(history, Deleted) if isinstance(event, Deleted)] == [(0,)]


def test_PB_only_reported_messages_come_back() -> None:
    """With ReportBatchItemFailures the listed ones stay, all others are deleted."""
    history = run(one_mapping(partial=True), Burst("orders", 5), Behaviour(poison=(1, 3)), until=31)
    assert [event.message for event in only(history, Returned) if isinstance(event, Returned)] == [1, 3]
    assert history.summary()["functions"]["worker"]["Errors"] == 0
    assert history.summary()["mappings"]["orders→worker"]["FailedInvokeEventCount"] >= 2


def test_A12_ES_7_PB_13_errors_cost_pollers_although_messages_wait() -> None:
    """Fewer invocations at once than without errors; with partial responses nothing is lost of the scale (PB-13)."""

    def peak(behaviour: Behaviour, *, partial: bool = False) -> float:
        design = one_mapping(batch=1, timeout=10, partial=partial, era="2023-11")
        history = run(design, Burst("orders", 3000), behaviour, until=20, seed=1)
        return history.series("ConcurrentExecutions", "worker", 5)[-2][1]

    calm, failing = peak(Behaviour(seconds_per_batch=1)), peak(Behaviour(seconds_per_batch=1, error_rate=0.3))
    reporting = peak(Behaviour(seconds_per_batch=1, error_rate=0.3), partial=True)
    assert failing < calm * 0.75
    assert reporting == pytest.approx(calm, rel=0.1)


def test_MC_1_maximum_concurrency_stops_the_reading() -> None:
    """Nothing is held back in flight: never more than maximum concurrency × batch size."""
    history = run(one_mapping(maximum=4, timeout=10), Burst("orders", 500), Behaviour(seconds_per_batch=1), seed=3)
    summary = history.summary()
    assert summary["functions"]["worker"]["ConcurrentExecutions"] == 4
    assert summary["queues"]["orders"]["ApproximateNumberOfMessagesNotVisible"] <= 40
    assert summary["functions"]["worker"]["Throttles"] == 0


def test_ES_12_reserved_concurrency_zero_drains_into_the_dead_letter_queue() -> None:
    """Receives go on, every invocation is throttled, and the receive counts go up (LC-5)."""
    history = run(one_mapping(reserved=0, receives=2), Burst("orders", 5), Behaviour())
    messages = history.summary()["messages"]
    assert messages["dead_lettered_by_throttling"] == 5
    assert messages["processed"] == 0


def test_LC_2_the_account_pool_throttles_with_its_own_reason() -> None:
    """Functions without a reservation share what others leave."""
    design = Design(
        [Queue("orders"), Queue("mails")],
        [Function("worker"), Function("mailer")],
        [EventSourceMapping("orders", "worker", batch_size=1), EventSourceMapping("mails", "mailer", batch_size=1)],
        Account(concurrency=103, other_traffic=100),
    )
    load: list[Load] = [Burst("orders", 20), Burst("mails", 20)]
    behaviours = {"worker": Behaviour(1), "mailer": Behaviour(1)}
    history = simulate(Scenario(design, load, behaviours), verify=True)
    functions = history.summary()["functions"]
    assert functions["worker"]["Throttles"] + functions["mailer"]["Throttles"] > 0
    assert {getattr(event, "reason", "") for event in history.events} == {"", "ConcurrentInvocationLimitExceeded"}
    assert {found.invariant for found in check(history, ALL)} <= {"no-concurrent-processing", "no-second-processing"}


def test_EC_17_two_functions_on_one_queue_compete() -> None:
    """Each message goes to one of them."""
    design = Design(
        [Queue("orders")],
        [Function("worker"), Function("auditor")],
        [EventSourceMapping("orders", "worker", batch_size=1), EventSourceMapping("orders", "auditor", batch_size=1)],
    )
    history = simulate(Scenario(design, [Burst("orders", 40)], {"worker": Behaviour(1), "auditor": Behaviour(1)}))
    summary = history.summary()
    assert summary["functions"]["worker"]["Invocations"] > 0
    assert summary["functions"]["auditor"]["Invocations"] > 0
    assert summary["messages"]["processed"] == 40
    assert summary["messages"]["processed_twice"] == 0


def test_EC_22_a_disabled_mapping_does_not_poll() -> None:
    """Its messages stay."""
    design = Design([Queue("orders")], [Function("worker")], [EventSourceMapping("orders", "worker", enabled=False)])
    history = run(design, Burst("orders", 3), Behaviour(), until=100)
    assert history.summary()["messages"] | {"remaining": 3, "sent": 3} == history.summary()["messages"]
    assert history.summary()["queues"]["orders"]["NumberOfEmptyReceives"] == 0


def test_PM_1_provisioned_pollers_start_with_their_minimum() -> None:
    """Ten invocations at once for each poller."""
    mapping = EventSourceMapping("orders", "worker", batch_size=1, provisioned_pollers=(3, 5))
    design = Design([Queue("orders")], [Function("worker", timeout=10)], [mapping])
    history = run(design, Burst("orders", 400), Behaviour(seconds_per_batch=2), until=5)
    concurrency = history.series("ConcurrentExecutions", "worker", 1)
    assert concurrency[0][1] >= 30
    assert concurrency[4][1] == 50


def test_DL_1_a_delay_queue_hides_new_messages() -> None:
    """Nobody receives them before the delay is over."""
    design = Design([Queue("orders", delay=45)], [Function("worker")], [EventSourceMapping("orders", "worker")])
    history = run(design, Burst("orders", 2), Behaviour())
    assert next(event.at for event in history.events if isinstance(event, Received)) == 45_000


def test_DLQ_9_a_message_that_has_outlived_the_dead_letter_queue_expires_there_at_once() -> None:
    """Its clock goes on from the send; time never runs backwards."""
    queues = [Queue("orders", retention_period=91, redrive=Redrive("dead", 3)), Queue("dead", retention_period=60)]
    design = Design(queues, [Function("worker", timeout=1)], [EventSourceMapping("orders", "worker")])
    history = run(design, Burst("orders", 1), Behaviour(2), until=100)
    assert history.summary()["messages"]["expired"] == 1


def test_ES_5_pollers_that_wait_again_after_a_while_never_turn_time_back() -> None:
    """Who becomes idle after a mapping has shrunk and grown again is looked at later, not before."""
    design = Design(
        [Queue("orders", visibility_timeout=960, redrive=Redrive("dead", 3)), Queue("dead")],
        [Function("worker", timeout=900)],
        [EventSourceMapping("orders", "worker", maximum_batching_window=10)],
    )
    history = run(design, Burst("orders", 2, over=1), Behaviour(seconds_per_batch=900))
    moments = [event.at for event in history.events]
    assert moments == sorted(moments)


def test_ES_6_a_receive_of_a_fifo_queue_does_not_come_short() -> None:
    """Measured: 31 invocations for 300 messages of one group, full batches nearly always (C9)."""
    mapping = EventSourceMapping("orders.fifo", "worker", batch_size=10)
    design = Design([Queue("orders.fifo")], [Function("worker", timeout=3)], [mapping], era="2018-06")
    for seed in range(1, 6):
        history = run(design, Burst("orders.fifo", 100, groups=1), Behaviour(), seed=seed)
        assert [len(batch) for batch in started(history)] == [10] * 10


def test_ES_8_a_throttled_batch_can_have_a_last_retry_just_before_its_visibility_ends() -> None:
    """An assumption with both ends: 0, the default, or a time before the end that is shorter than visibility."""
    design = one_mapping(visibility=30, timeout=30, reserved=1, batch=1, receives=1)
    assert Assumptions().last_retry == 0
    for last, processed in ((0, 1), (100, 2), (29_990, 1), (60_000, 1)):
        history = simulate(
            Scenario(
                design,
                [Burst("orders", 2)],
                {"worker": Behaviour(seconds_per_batch=29.5)},
                assumptions=Assumptions(last_retry=last),
            )
        )
        messages = history.summary()["messages"]
        assert (messages["processed"], messages["dead_lettered"]) == (processed, 1)


def test_ES_8_a_burst_on_a_reservation_of_ten_loses_messages_at_the_first_attempt() -> None:
    """As a field report says: the mapping grows on after the first throttle; none are lost if it reacts at once."""
    design = one_mapping(visibility=30, timeout=30, reserved=10, batch=1, receives=1, era="2025-11")

    def lost(count: int, reaction: int) -> int:
        assumed, behaviour = (
            Assumptions(throttle_reaction=reaction),
            {"worker": Behaviour(seconds_per_batch=10, spread=0.3)},
        )
        runs = [
            simulate(Scenario(design, [Burst("orders", count)], behaviour, seed=seed, assumptions=assumed))
            for seed in range(1, 7)
        ]
        return sum(history.summary()["messages"]["dead_lettered_by_throttling"] for history in runs)

    assert [lost(count, 0) for count in (60, 200)] == [0, 0]
    assert 0 < lost(60, 5_000) < lost(200, 5_000) < 6 * 200 * 0.1


def test_ES_7_a_small_share_of_errors_costs_pollers_too() -> None:
    """Assumed: each costs a part of all pollers, so that a few errors cost a large mapping some."""

    def peak(error_rate: float) -> float:
        design, behaviour = one_mapping(batch=1, timeout=10, era="2023-11"), Behaviour(1, error_rate=error_rate)
        return run(design, Burst("orders", 3000), behaviour, until=30, seed=1).series(
            "ConcurrentExecutions", "worker", 5
        )[-2][1]

    calm, *failing = map(peak, (0, 0.01, 0.05, 0.1))
    few, more, many = (found / calm for found in failing)
    assert many < 0.5 < more < 0.7 < few < 0.95


def test_ES_8_throttled_groups_do_not_take_the_pollers_of_others() -> None:
    """Measured: five messages of five groups are in flight all the time while one may run (C10)."""
    design = Design(
        [Queue("orders.fifo", visibility_timeout=3, redrive=Redrive("dead.fifo", 1)), Queue("dead.fifo")],
        [Function("worker", timeout=2, reserved_concurrency=1)],
        [EventSourceMapping("orders.fifo", "worker", batch_size=1)],
        era="2018-06",
    )
    for seed in range(1, 6):
        history = run(design, Burst("orders.fifo", 300, over=3.5, groups=5), Behaviour(1), seed=seed)
        flying = [value for _, value in history.series("ApproximateNumberOfMessagesNotVisible", "orders.fifo", 1)]
        assert max(flying) == 5
        assert sum(value >= 4 for value in flying[5:100]) > 85

"""Each kind of fault is reached, does what its sentence says, and is named by what it caused."""

from __future__ import annotations

import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.events import (
    Deleted,
    Event,
    InvocationEnded,
    InvocationStarted,
    Received,
    Released,
    Sent,
    ServiceFailed,
    Throttled,
)
from chaosqs.model.faults import KIND_NAMES, KINDS, FaultKind, FaultPlan, Window
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.calibration.designs import one_mapping
from tests.faults.faulted import FIFO, FIRST, STANDARD, design, named, run


def faulted(kind: str) -> History:
    """Run one message whose first receive is struck."""
    design = one_mapping(timeout=5, receives=3)
    return simulate(Scenario(design, [Burst("orders", 1)], {"worker": Behaviour(1)}, FaultPlan([[kind]])))


def first(history: History, kind: type[Event]) -> Event:
    """Return the first event of a kind."""
    return next(event for event in history.events if isinstance(event, kind))


KEYED = [kind for kind in KINDS if kind.keyed and not kind.is_named]
WINDOWED = [kind for kind in KINDS if not kind.is_named]
QUEUES = pytest.mark.parametrize("queue", [STANDARD, FIFO])


def by_name(kind: FaultKind) -> str:
    """Return a kind's name, for the names of tests."""
    return kind.name


@QUEUES
@pytest.mark.parametrize("kind", KEYED, ids=by_name)
def test_every_kind_strikes_the_message_that_it_is_for(kind: FaultKind, queue: str) -> None:
    """Once, and the record names it; all messages get through, twice in the same way, and the books are right."""
    sends = kind.injection_point == "send"
    plan = FaultPlan(sends=[kind.name]) if sends else FaultPlan([[kind.name]])
    history = run(plan, Burst(queue, 4, groups=1), of=design(queue))
    name = f"{kind.name} of message 1" if sends else FIRST.format(kind.name)
    assert named(history) == (set() if kind.standard_only and queue == FIFO else {name})
    assert history.summary()["messages"]["processed"] == history.summary()["messages"]["sent"]


@QUEUES
@pytest.mark.parametrize("kind", WINDOWED, ids=by_name)
def test_every_kind_strikes_while_its_window_is_open(kind: FaultKind, queue: str) -> None:
    """Under seed too; afterwards all messages get through."""
    plan = FaultPlan(windows=[Window(kind.name, "", 0.5, 8)])
    loads = [Burst(queue, 30, over=10, groups=3), Burst(queue, 10, at=1, groups=3)]
    for seed in (0, 7):
        history = run(plan, *loads, of=design(queue, era="2025-11"), seconds=0.1, seed=seed)
        spared = kind.standard_only and queue == FIFO
        assert named(history) == (set() if spared else {f"{kind.name} from 0.5 s for 8 s"})
        assert history.summary()["messages"]["processed"] == history.summary()["messages"]["sent"]


@pytest.mark.parametrize("kind", WINDOWED, ids=by_name)
def test_no_kind_strikes_after_the_plan_has_healed(kind: FaultKind) -> None:
    """A window that is open then has ended: what is sent later is delivered once, and processed."""
    plan = FaultPlan(windows=[Window(kind.name, "", 1, 600)], heal_at=10)
    history = run(plan, Burst(STANDARD, 20, over=10), Burst(STANDARD, 5, at=120, over=1), seconds=0.1)
    late = [event.message for event in history.events if isinstance(event, Sent) and event.at >= 120_000]
    assert len(late) == 5
    assert [[delivery.ending for delivery in history.deliveries[message]] for message in late] == [["processed"]] * 5


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_a_plan_that_bans_a_kind_is_calm(kind: str) -> None:
    """Keyed and by window: the run is the one without a plan, event by event."""
    known = next(known for known in KINDS if known.name == kind)
    outcome = {"point": "fault_point:charge", "call": f"{kind}:dynamodb"}.get(known.injection_point, kind)
    windows = [] if known.is_named else [Window(kind, "", 0, 60)]
    keyed = [outcome] if known.keyed else []
    sends = known.injection_point == "send"
    plan = FaultPlan([] if sends else [keyed], windows, banned=[outcome], sends=keyed if sends else [])
    load = Burst(STANDARD, 3)
    assert run(plan, load).digest == run(FaultPlan(), load).digest


def test_throttled_keeps_the_batch_for_a_whole_visibility_timeout() -> None:
    """LC-11, ES-8: the poller retries, then forgets; the next receive is the second."""
    history = faulted("throttled")
    throttles = [event for event in history.events if isinstance(event, Throttled)]
    assert len(throttles) > 3
    assert first(history, Released) == Released(30_000, len(throttles) + 2, "orders→worker", 1, (0,), "throttled")
    assert [event.receive_counts for event in history.events if isinstance(event, Received)] == [(1,), (2,)]


def test_service_error_gives_the_batch_up_at_once() -> None:
    """LX-11: no invocation, and the message comes back when its visibility ends."""
    history = faulted("service_error")
    failed, released = first(history, ServiceFailed), first(history, Released)
    assert failed.at == released.at < 100
    started = [event for event in history.events if isinstance(event, InvocationStarted)]
    assert len(started) == 1
    assert started[0].at > 30_000


@pytest.mark.parametrize(
    ("kind", "outcome", "duration"),
    [("error", "raised", 1050), ("timeout", "timed_out", 5000), ("crash", "crashed", 525), ("slow", "succeeded", 4999)],
)
def test_handler_faults_look_as_they_say(kind: str, outcome: str, duration: int) -> None:
    """LX-7, LX-9, LX-14: outcome and duration, and a second run after a failure."""
    history = faulted(kind)
    ended = [event for event in history.events if isinstance(event, InvocationEnded)]
    assert (ended[0].outcome, ended[0].duration) == (outcome, duration)
    assert len(ended) == (1 if outcome == "succeeded" else 2)


def test_lost_receive_counts_a_delivery_that_nobody_saw() -> None:
    """RX-8: the poller goes on; the message is hidden and its receive count is up."""
    history = faulted("lost_receive")
    started = [event for event in history.events if isinstance(event, InvocationStarted)]
    assert len(started) == 1
    assert started[0].at > 30_000
    assert history.deliveries[0][0].ending == "lost"


def test_lost_response_runs_the_message_again_after_success() -> None:
    """EP-13: the effect stands, and happens twice."""
    history = faulted("lost_response")
    assert history.summary()["messages"]["processed_twice"] == 1
    assert first(history, Released) == Released(history.events[4].at, 4, "orders→worker", 1, (0,), "no answer")


def test_lost_delete_brings_the_message_back() -> None:
    """EF-5: deleted in nobody's eyes; processed twice."""
    history = faulted("lost_delete")
    deletes = [event for event in history.events if isinstance(event, Deleted)]
    assert [event.stayed for event in deletes] == [(0,), ()]
    assert history.summary()["messages"]["processed_twice"] == 1


def test_a_window_strikes_only_while_it_lasts_and_only_in_its_scope() -> None:
    """Half-open in time; a queue or function by name, or all."""
    design = one_mapping(timeout=5)
    load = [Burst("orders", 30, over=30)]
    faults = FaultPlan(windows=[Window("error", "worker", 10, 5), Window("error", "orders-dlq", 0, 100)])
    history = simulate(Scenario(design, load, {"worker": Behaviour()}, faults))
    failed = [event for event in history.events if isinstance(event, InvocationEnded) and event.outcome != "succeeded"]
    assert {event.fault for event in failed} == {"error on worker from 10 s for 5 s"}
    assert [event.at // 1000 for event in failed] == [10, 11, 12, 13, 14]


def test_banned_and_healed_faults_do_not_strike() -> None:
    """A plan is read late: what it bans, or what has healed, is as if it were not there."""
    design = one_mapping(timeout=5)
    plan = FaultPlan([["error"], ["ok", "error"]], [Window("throttled", "", 0, 100)])
    load, behaviours = [Burst("orders", 2)], {"worker": Behaviour()}
    calm = simulate(Scenario(design, load, behaviours))
    for quiet in (
        FaultPlan(plan.messages, plan.windows, banned=KIND_NAMES),
        FaultPlan(plan.messages, plan.windows, heal_at=0),
    ):
        assert simulate(Scenario(design, load, behaviours, quiet)).digest == calm.digest
    assert simulate(Scenario(design, load, behaviours, plan)).digest != calm.digest

"""Each kind of fault is reached, does what its sentence says, and is named by what it caused."""

from __future__ import annotations

import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.event import (
    Deleted,
    Event,
    InvocationEnded,
    InvocationStarted,
    Received,
    Released,
    ServiceFailed,
    Throttled,
)
from chaosqs.model.fault import KIND_NAMES, FaultPlan, Window
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulator.run import simulate
from tests.calibration.designs import one_mapping

NAME = "{} at receive 1 of message 1"


def struck(kind: str) -> History:
    """Run one message whose first receive is struck."""
    design = one_mapping(timeout=5, receives=3)
    return simulate(Scenario(design, [Burst("orders", 1)], {"worker": Behaviour(1)}, FaultPlan([[kind]])))


def first(history: History, kind: type[Event]) -> Event:
    """Return the first event of a kind."""
    return next(event for event in history.events if isinstance(event, kind))


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_every_kind_is_named_in_the_history_and_the_message_still_gets_through(kind: str) -> None:
    """One fault on one receive: the record names it, and the next delivery (or this one) succeeds."""
    history = struck(kind)
    assert any(getattr(event, "fault", "") == NAME.format(kind) for event in history.events), kind
    assert history.summary()["messages"]["processed"] == 1
    assert history.summary()["messages"]["remaining"] == 0


def test_throttled_keeps_the_batch_for_a_whole_visibility_timeout() -> None:
    """LC-11, ES-8: the poller retries, then forgets; the next receive is the second."""
    history = struck("throttled")
    throttles = [event for event in history.events if isinstance(event, Throttled)]
    assert len(throttles) > 3
    assert first(history, Released) == Released(30_000, len(throttles) + 2, "orders→worker", 1, (0,), "throttled")
    assert [event.receive_counts for event in history.events if isinstance(event, Received)] == [(1,), (2,)]


def test_service_error_gives_the_batch_up_at_once() -> None:
    """LX-11: no invocation, and the message comes back when its visibility ends."""
    history = struck("service_error")
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
    history = struck(kind)
    ended = [event for event in history.events if isinstance(event, InvocationEnded)]
    assert (ended[0].outcome, ended[0].duration) == (outcome, duration)
    assert len(ended) == (1 if outcome == "succeeded" else 2)


def test_lost_receive_counts_a_delivery_that_nobody_saw() -> None:
    """RX-8: the poller goes on; the message is hidden and its receive count is up."""
    history = struck("lost_receive")
    started = [event for event in history.events if isinstance(event, InvocationStarted)]
    assert len(started) == 1
    assert started[0].at > 30_000
    assert history.deliveries[0][0].ending == "lost"


def test_lost_response_runs_the_message_again_after_success() -> None:
    """EP-13: the effect stands, and happens twice."""
    history = struck("lost_response")
    assert history.summary()["messages"]["processed_twice"] == 1
    assert first(history, Released) == Released(history.events[4].at, 4, "orders→worker", 1, (0,), "no answer")


def test_lost_delete_brings_the_message_back() -> None:
    """EF-5: deleted in nobody's eyes; processed twice."""
    history = struck("lost_delete")
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

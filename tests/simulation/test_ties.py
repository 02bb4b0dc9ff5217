"""What ends, becomes visible and is received in one millisecond: expiry comes first."""

from __future__ import annotations

import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.events import Expired, InvocationStarted, Received, Returned
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Steady
from chaosqs.simulation.run import simulate


@pytest.mark.parametrize(("visibility", "runs"), [(30, 2), (20, 3), (60, 1), (61, 1), (29, 3)])
def test_RT_1_a_message_expires_before_it_is_received_again(visibility: int, runs: int) -> None:
    """Measured: with a visibility timeout of 30 s and a retention of 60 s, code that always fails runs twice."""
    design = Design(
        [Queue("orders", visibility_timeout=visibility, retention_period=60)],
        [Function("worker", timeout=3)],
        [EventSourceMapping("orders", "worker", batch_size=1)],
    )
    for seed in range(20):
        history = simulate(Scenario(design, [Burst("orders", 1)], {"worker": Behaviour(error_rate=1)}, seed=seed))
        assert len(history.each(InvocationStarted)) == runs
        ((_, expired),) = history.each(Expired)
        assert expired.at == 60_000
        assert not [event for _, event in history.each(Returned) if event.at == 60_000]


def test_RT_1_what_waits_expires_before_a_poller_gets_it() -> None:
    """A function that is always busy: no message is received in the moment of its expiry, or later."""
    design = Design(
        [Queue("orders", visibility_timeout=30, retention_period=60)],
        [Function("worker", timeout=3, reserved_concurrency=1)],
        [EventSourceMapping("orders", "worker", batch_size=1, maximum_concurrency=2)],
    )
    behaviour = Behaviour(seconds_per_batch=2)
    for seed in range(5):
        history = simulate(Scenario(design, [Steady("orders", 2, 60)], {"worker": behaviour}, seed=seed))
        assert history.each(Expired)
        received = [(message, event.at) for _, event in history.each(Received) for message in event.messages]
        assert max(at - history.sent[message].at for message, at in received) < 60_000

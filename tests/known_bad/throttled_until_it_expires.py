"""A broken design: one slow execution for many messages, and no dead-letter queue; they expire while it is busy."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.known_bad.known_bad import KnownBad


def throttled(messages: int) -> History:
    queue = Queue("orders", visibility_timeout=360, retention_period=300)
    worker = Function("worker", timeout=60, reserved_concurrency=1)
    design = Design([queue], [worker], [EventSourceMapping("orders", "worker", batch_size=1)])
    return simulate(Scenario(design, [Burst("orders", messages)], {"worker": Behaviour(seconds_per_batch=50)}))


KNOWN_BAD = KnownBad(
    breaks="no-expiry-unseen",
    says="Message N expired in orders although worker never saw it within its retention period of 300.0 s: it was "
    "received once, and the only reserved execution of worker was busy.",
    bad_history=lambda: throttled(10),
    near_miss=lambda: throttled(3),
)

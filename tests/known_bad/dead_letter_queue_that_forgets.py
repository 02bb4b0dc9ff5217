"""A broken design: the dead-letter queue keeps messages for a day from the sending, the retries included (DLQ-9)."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.known_bad.known_bad import KnownBad


def poison(*, source: int, dead_letters: int) -> History:
    queue = Queue("orders", retention_period=source, redrive=Redrive("orders-dlq", 1))
    design = Design(
        [queue, Queue("orders-dlq", retention_period=dead_letters)],
        [Function("worker")],
        [EventSourceMapping("orders", "worker")],
    )
    return simulate(Scenario(design, [Burst("orders", 1)], {"worker": Behaviour(poison=[0])}, until=100))


KNOWN_BAD = KnownBad(
    breaks="dead-letter-queue-outlives-source",
    says="Message N can be looked at in orders-dlq for 23.99 hours only: "
    "it brought an age of 30.0 s from orders, and orders-dlq keeps messages for 24 hours from the sending; "
    "the limit is 24 hours.",
    bad_history=lambda: poison(source=86_400, dead_letters=86_400),
    near_miss=lambda: poison(source=86_400, dead_letters=86_430),
)

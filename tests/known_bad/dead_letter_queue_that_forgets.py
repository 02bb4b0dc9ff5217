"""A broken design: the dead-letter queue keeps messages for no longer than its source does (DLQ-9)."""

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
    says="Message N expired in orders-dlq after 30.0 s there, 30.0 s too soon: "
    "it brought its age from orders, and both retention periods are 60.0 s.",
    bad_history=lambda: poison(source=60, dead_letters=60),
    near_miss=lambda: poison(source=60, dead_letters=90),
)

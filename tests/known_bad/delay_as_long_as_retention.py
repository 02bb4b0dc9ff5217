"""A broken design: messages are delayed for longer than the queue keeps them, so nobody ever sees one (DL-1)."""

from __future__ import annotations

from chaosqs.model.design import Queue, Redrive
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.invariants.builder import orders_design
from tests.known_bad.known_bad import KnownBad


def delayed(delay: int) -> History:
    queue = Queue("orders", delay=delay, retention_period=600, redrive=Redrive("orders-dlq", 2))
    return simulate(Scenario(orders_design(queue=queue), [Burst("orders", 2)]))


KNOWN_BAD = KnownBad(
    breaks="no-expiry-unseen",
    says="Message N expired in orders before any poller could receive it: its delay of 900.0 s is not shorter than its "
    "retention period of 600.0 s.",
    bad_history=lambda: delayed(900),
    near_miss=lambda: delayed(300),
)

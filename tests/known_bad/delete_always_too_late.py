"""A broken design: the function succeeds each time, and each time after the visibility timeout (EF-7, EP-10)."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.history import History
from chaosqs.model.liveness import liveness_deadline
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.known_bad.known_bad import KnownBad


def slow(visibility_timeout: int) -> History:
    design = Design(
        [Queue("orders", visibility_timeout)], [Function("worker", timeout=5)], [EventSourceMapping("orders", "worker")]
    )
    workload, behaviours = (Burst("orders", 1),), {"worker": Behaviour(seconds_per_batch=4.99)}
    return simulate(Scenario(design, workload, behaviours, until=liveness_deadline(design, workload, behaviours)))


KNOWN_BAD = KnownBad(
    breaks="drains-after-healing",
    says="Message N is still in orders although all could be over by 59.0 s: it was received 12 times, and each time "
    "worker succeeded on it, but it was not deleted before its visibility ended – a circle: the last 11 times nothing "
    "else had changed.",
    bad_history=lambda: slow(5),
    near_miss=lambda: slow(6),
)

"""A broken design: without a redrive policy one poison message blocks its FIFO group for days (FF-13)."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.history import History
from chaosqs.model.liveness import liveness_deadline
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.known_bad.known_bad import KnownBad


def poisoned(redrive: Redrive | None) -> History:
    design = Design(
        [Queue("orders.fifo", redrive=redrive), Queue("orders-dlq.fifo")],
        [Function("worker")],
        [EventSourceMapping("orders.fifo", "worker", batch_size=1)],
    )
    workload, behaviours = (Burst("orders.fifo", 2, groups=1),), {"worker": Behaviour(poison=[0])}
    return simulate(Scenario(design, workload, behaviours, until=liveness_deadline(design, workload, behaviours)))


KNOWN_BAD = KnownBad(
    breaks="drains-after-healing",
    says="Message N is still in orders.fifo although all could be over by 314.0 s: it waits behind message 1 of its "
    "group, and that one was received 11 times, and each time worker failed on it – a circle: the last 11 times "
    "nothing else had changed.",
    bad_history=lambda: poisoned(None),
    near_miss=lambda: poisoned(Redrive("orders-dlq.fifo", 3)),
)

"""A broken consumer: it sends on what it gets without a look whether it has done so before (OR-4)."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.known_bad.known_bad import KnownBad

QUEUES = [Queue("orders", redrive=Redrive("orders-dlq", 2)), Queue("orders-dlq")]


def handled(handler: str, target: Queue) -> History:
    """Two messages, of which the first ends in a timeout after its send."""
    design = Design([*QUEUES, target], [Function("worker")], [EventSourceMapping("orders", "worker", 1)])
    behaviour = Behaviour(handler=f"tests.invariants.broken_handlers:{handler}")
    plan = FaultPlan(messages=[["timeout"]])
    return simulate(Scenario(design, [Burst("orders", 2)], {"worker": behaviour}, plan))


KNOWN_BAD = KnownBad(
    breaks="no-repeated-send",
    says="Message N made worker send the same message to invoices at 0.272 s and again at 30.3 s.",
    bad_history=lambda: handled("sends_invoices", Queue("invoices")),
    near_miss=lambda: handled("sends_invoices_once", Queue("invoices.fifo")),
)

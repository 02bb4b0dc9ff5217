"""Real runs of one small design."""

from __future__ import annotations

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Steady
from chaosqs.simulation.run import simulate


def run(
    load: Burst | Steady,
    behaviour: Behaviour,
    *,
    faults: FaultPlan | None = None,
    seed: int = 0,
    batch_size: int = 1,
    until: float | None = None,
) -> History:
    design = Design(
        queues=[Queue("orders", redrive=Redrive("orders-dlq", 3)), Queue("orders-dlq")],
        functions=[Function("worker", timeout=10, reserved_concurrency=2)],
        mappings=[EventSourceMapping("orders", "worker", batch_size=batch_size)],
    )
    return simulate(Scenario(design, [load], {"worker": behaviour}, faults or FaultPlan(), seed, until))

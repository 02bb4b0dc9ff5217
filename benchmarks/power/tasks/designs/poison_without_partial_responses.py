"""One poison message fails its whole batch, and nobody reports which one it was.

By argument: a bystander takes two messages, one of them poison. With many deliveries it comes alone at some time: of
100 seeds, 53 violate it with three deliveries, 18 with ten, 6 with 15, and from 24 on none but the calm one. A
reserved concurrency of 0 switches the function off, and is not counted as relevant.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", visibility_timeout=30, redrive=Redrive("orders-dlq", 3)), Queue("orders-dlq")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", batch_size=10)],
)

TASK = Task(
    name="poison-without-partial-responses",
    kind="design mistake",
    why="One poison message fails its whole batch, and nobody reports which one it was.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="no-bystander-dead-lettered",
    smallest=Scenario(_DESIGN, [Burst("orders", 2)], {"worker": Behaviour(poison=(0,))}),
    relevant=(
        "batch_size",
        "report_batch_item_failures",
        "max_receive_count",
    ),
)

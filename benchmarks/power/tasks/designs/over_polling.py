"""Five pollers read for two executions, and the visibility timeout is as short as the function timeout.

By enumeration: four messages or fewer keep the promise whatever the times. Delay and batching window cure it at
single values only, where the calm world falls into step, so they are not counted as relevant. Nor are provisioned
pollers: with them 17 other seeds out of 200 violate it, instead of 19.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", visibility_timeout=30, redrive=Redrive("orders-dlq", 3)), Queue("orders-dlq")],
    [Function("worker", timeout=30, reserved_concurrency=2)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="over-polling",
    kind="design mistake",
    why="Five pollers read for two executions, and the visibility timeout is as short as the function timeout.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="no-dead-lettering-by-throttling",
    smallest=Scenario(_DESIGN, [Burst("orders", 5, over=30)], {"worker": Behaviour(seconds_per_batch=29)}),
    relevant=(
        "visibility_timeout",
        "max_receive_count",
        "reserved_concurrency",
        "maximum_concurrency",
    ),
)

"""Three executions for five pollers, and two deliveries are soon used up.

By enumeration: six messages are served within the two deliveries, whatever the times.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", visibility_timeout=30, redrive=Redrive("orders-dlq", 2)), Queue("orders-dlq")],
    [Function("worker", timeout=30, reserved_concurrency=3)],
    [EventSourceMapping("orders", "worker", batch_size=1)],
)

TASK = Task(
    name="two-deliveries-three-executions",
    kind="design mistake",
    why="Three executions for five pollers, and two deliveries are soon used up.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="no-dead-lettering-by-throttling",
    smallest=Scenario(_DESIGN, [Burst("orders", 7)], {"worker": Behaviour(seconds_per_batch=20)}),
    relevant=(
        "visibility_timeout",
        "max_receive_count",
        "reserved_concurrency",
        "maximum_concurrency",
        "batch_size",
    ),
)

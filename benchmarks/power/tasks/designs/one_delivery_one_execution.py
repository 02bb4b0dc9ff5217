"""A message gets one delivery, and one execution is reserved for what five pollers read.

By enumeration, and by argument: one message alone has the only execution, and two at once are one batch.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", visibility_timeout=60, redrive=Redrive("orders-dlq", 1)), Queue("orders-dlq")],
    [Function("worker", timeout=60, reserved_concurrency=1)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="one-delivery-one-execution",
    kind="design mistake",
    why="A message gets one delivery, and one execution is reserved for what five pollers read.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="no-dead-lettering-by-throttling",
    smallest=Scenario(_DESIGN, [Burst("orders", 2, over=1)], {"worker": Behaviour(seconds_per_batch=59)}),
    relevant=(
        "visibility_timeout",
        "max_receive_count",
        "reserved_concurrency",
    ),
)

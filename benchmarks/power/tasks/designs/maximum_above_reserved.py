"""The mapping's maximum concurrency is above the reserved concurrency: the pollers read on.

By enumeration, and by argument: five executions take five messages.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", visibility_timeout=60, redrive=Redrive("orders-dlq", 1)), Queue("orders-dlq")],
    [Function("worker", timeout=60, reserved_concurrency=5)],
    [EventSourceMapping("orders", "worker", batch_size=1, maximum_concurrency=20)],
)

TASK = Task(
    name="maximum-above-reserved",
    kind="design mistake",
    why="The mapping's maximum concurrency is above the reserved concurrency: the pollers read on.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="no-dead-lettering-by-throttling",
    smallest=Scenario(_DESIGN, [Burst("orders", 6)], {"worker": Behaviour(seconds_per_batch=59)}),
    relevant=(
        "visibility_timeout",
        "max_receive_count",
        "reserved_concurrency",
        "maximum_concurrency",
        "batch_size",
    ),
)

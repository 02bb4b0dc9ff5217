"""Two mappings may have two invocations each, and their function has two executions for both.

By enumeration, and by argument: two executions take two messages, so three are needed; one mapping alone stops at
its maximum of 2.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", redrive=Redrive("dlq", 1)), Queue("returns", redrive=Redrive("dlq", 1)), Queue("dlq")],
    [Function("worker", timeout=30, reserved_concurrency=2)],
    [
        EventSourceMapping("orders", "worker", batch_size=1, maximum_concurrency=2),
        EventSourceMapping("returns", "worker", batch_size=1, maximum_concurrency=2),
    ],
)

TASK = Task(
    name="mappings-share-too-little",
    kind="design mistake",
    why="Two mappings may have two invocations each, and their function has two executions for both.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="no-dead-lettering-by-throttling",
    smallest=Scenario(
        _DESIGN, [Burst("orders", 2, over=1), Burst("returns", 1, over=1)], {"worker": Behaviour(seconds_per_batch=29)}
    ),
    relevant=(
        "visibility_timeout",
        "max_receive_count",
        "reserved_concurrency",
        "delay",
    ),
)

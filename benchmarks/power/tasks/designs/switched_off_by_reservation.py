"""A function is switched off by a reserved concurrency of 0 while its mapping polls on.

By argument: no run is smaller than one message, and any other reservation runs it.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", visibility_timeout=30, redrive=Redrive("orders-dlq", 3)), Queue("orders-dlq")],
    [Function("worker", timeout=10, reserved_concurrency=0)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="switched-off-by-reservation",
    kind="design mistake",
    why="A function is switched off by a reserved concurrency of 0 while its mapping polls on.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="no-dead-lettering-by-throttling",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)]),
    relevant=("reserved_concurrency",),
)

"""Over-polling with a maximum concurrency that fits the reservation. Nothing is to be found."""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive

TASK = Task(
    name="over-polling-within-its-maximum",
    kind="green",
    why="Over-polling with a maximum concurrency that fits the reservation.",
    design=Design(
        [Queue("orders", visibility_timeout=30, redrive=Redrive("orders-dlq", 3)), Queue("orders-dlq")],
        [Function("worker", timeout=30, reserved_concurrency=2)],
        [EventSourceMapping("orders", "worker", maximum_concurrency=2)],
    ),
    mapping="orders→worker",
    invariant="no-dead-lettering-by-throttling",
)

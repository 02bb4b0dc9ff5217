"""Two mappings whose maximum concurrencies fit the reservation of their function. Nothing is to be found."""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive

TASK = Task(
    name="mappings-share-enough",
    kind="green",
    why="Two mappings whose maximum concurrencies fit the reservation of their function.",
    design=Design(
        [Queue("orders", redrive=Redrive("dlq", 1)), Queue("returns", redrive=Redrive("dlq", 1)), Queue("dlq")],
        [Function("worker", timeout=30, reserved_concurrency=4)],
        [
            EventSourceMapping("orders", "worker", batch_size=1, maximum_concurrency=2),
            EventSourceMapping("returns", "worker", batch_size=1, maximum_concurrency=2),
        ],
    ),
    mapping="orders→worker",
    invariant="no-dead-lettering-by-throttling",
)

"""A dead-letter queue that keeps messages longer than its source. Nothing is to be found."""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive

TASK = Task(
    name="dead-letters-kept-longer",
    kind="green",
    why="A dead-letter queue that keeps messages longer than its source.",
    design=Design(
        [
            Queue("orders", retention_period=3600, redrive=Redrive("orders-dlq", 5)),
            Queue("orders-dlq", retention_period=1_209_600),
        ],
        [Function("worker", timeout=5)],
        [EventSourceMapping("orders", "worker")],
    ),
    mapping="orders→worker",
    invariant="dead-letter-queue-outlives-source",
)

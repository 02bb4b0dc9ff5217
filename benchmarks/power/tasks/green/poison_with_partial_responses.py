"""Poison messages that the function reports one by one. Nothing is to be found."""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive

TASK = Task(
    name="poison-with-partial-responses",
    kind="green",
    why="Poison messages that the function reports one by one.",
    design=Design(
        [Queue("orders", visibility_timeout=30, redrive=Redrive("orders-dlq", 3)), Queue("orders-dlq")],
        [Function("worker", timeout=5)],
        [EventSourceMapping("orders", "worker", batch_size=10, report_batch_item_failures=True)],
    ),
    mapping="orders→worker",
    invariant="no-bystander-dead-lettered",
)

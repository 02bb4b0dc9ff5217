"""A visibility timeout of six times the function timeout. Nothing is to be found."""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue

TASK = Task(
    name="visibility-six-times-the-timeout",
    kind="green",
    why="A visibility timeout of six times the function timeout.",
    design=Design(
        [Queue("orders", visibility_timeout=60)],
        [Function("worker", timeout=10)],
        [EventSourceMapping("orders", "worker", batch_size=1)],
    ),
    mapping="orders→worker",
    invariant="no-concurrent-processing",
)

"""EP-4, EP-8: a batch is not cut where its payload is full."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.lambda_.machines.sqs_event import Payload
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue


def _fits(_self: Payload, _size: int) -> bool:
    return True


TASK = Task(
    name="payload-cut-ignored",
    kind="mutant",
    why="A batch is not cut where its payload is full.",
    design=Design(
        [Queue("orders", visibility_timeout=60)],
        [Function("worker", timeout=5)],
        [EventSourceMapping("orders", "worker", batch_size=100, maximum_batching_window=5)],
    ),
    mapping="orders→worker",
    invariant="batches-within-limits",
    switch=Mutation(Payload, "fits", _fits),
)

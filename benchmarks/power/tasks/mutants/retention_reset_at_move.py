"""DLQ-9: a move to a standard dead-letter queue resets the clock of retention."""

from __future__ import annotations

import attrs

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.sqs import service
from chaosqs.sqs.machines.message import Message, dead_lettered


def _as_new(message: Message, source: str, *, fifo: bool, index: int, now: int) -> Message:
    return attrs.evolve(dead_lettered(message, source, fifo=fifo, index=index, now=now), sent_at=now)


TASK = Task(
    name="retention-reset-at-move",
    kind="mutant",
    why="A move to a standard dead-letter queue resets the clock of retention.",
    design=Design(
        [
            Queue("orders", visibility_timeout=30, retention_period=60, redrive=Redrive("orders-dlq", 1)),
            Queue("orders-dlq", retention_period=60),
        ],
        [Function("worker", timeout=5), Function("undertaker", timeout=5, reserved_concurrency=0)],
        [EventSourceMapping("orders", "worker"), EventSourceMapping("orders-dlq", "undertaker")],
    ),
    mapping="orders→worker",
    invariant="conservation",
    behaviours={"worker": Behaviour(error_rate=1)},
    switch=Mutation(service, "dead_lettered", _as_new),
)

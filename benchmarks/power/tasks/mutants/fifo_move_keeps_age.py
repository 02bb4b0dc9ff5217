"""DLQ-10: a FIFO dead-letter queue counts the retention from the sending to the source, as a standard one does."""

from __future__ import annotations

import attrs

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.sqs import service
from chaosqs.sqs.machines.message import Message, dead_lettered


def _as_old(message: Message, source: str, *, fifo: bool, index: int, now: int) -> Message:
    moved = dead_lettered(message, source, fifo=fifo, index=index, now=now)
    return attrs.evolve(moved, sent_at=message.sent_at)


TASK = Task(
    name="fifo-move-keeps-age",
    kind="mutant",
    why="A FIFO dead-letter queue counts the retention from the sending to the source, as a standard one does.",
    design=Design(
        [
            Queue("orders.fifo", visibility_timeout=10, redrive=Redrive("orders-dlq.fifo", 1)),
            Queue("orders-dlq.fifo", retention_period=60),
        ],
        [Function("worker", timeout=5), Function("undertaker", timeout=5, reserved_concurrency=0)],
        [EventSourceMapping("orders.fifo", "worker"), EventSourceMapping("orders-dlq.fifo", "undertaker")],
    ),
    mapping="orders-dlq.fifo→undertaker",
    invariant="at-least-once-delivery",
    behaviours={"worker": Behaviour(error_rate=1)},
    switch=Mutation(service, "dead_lettered", _as_old),
)

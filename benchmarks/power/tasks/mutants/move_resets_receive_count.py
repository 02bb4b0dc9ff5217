"""DLQ-6: a message begins to count its receives anew when it is dead-lettered."""

from __future__ import annotations

import attrs

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.sqs import service
from chaosqs.sqs.machines.message import Message, dead_lettered


def _uncounted(message: Message, source: str, *, fifo: bool, index: int, now: int) -> Message:
    return attrs.evolve(dead_lettered(message, source, fifo=fifo, index=index, now=now), receive_count=0)


TASK = Task(
    name="move-resets-receive-count",
    kind="mutant",
    why="A message begins to count its receives anew when it is dead-lettered.",
    design=Design(
        [Queue("orders", visibility_timeout=5, redrive=Redrive("orders-dlq", 1)), Queue("orders-dlq")],
        [Function("worker", timeout=5), Function("undertaker", timeout=5)],
        [EventSourceMapping("orders", "worker"), EventSourceMapping("orders-dlq", "undertaker")],
    ),
    mapping="orders→worker",
    invariant="conservation",
    behaviours={"worker": Behaviour(error_rate=1)},
    switch=Mutation(service, "dead_lettered", _uncounted),
)

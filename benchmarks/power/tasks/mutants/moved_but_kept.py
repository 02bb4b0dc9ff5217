"""DLQ-4: a message that goes to a dead-letter queue stays in its source as well."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.sqs.machines.message import Message
from chaosqs.sqs.machines.standard_queue import StandardQueue
from chaosqs.sqs.service import QueueState, Service

# pyright: reportPrivateUsage=false

_dead_letter = Service._dead_letter


def _keep(self: Service, state: QueueState, message: Message) -> None:
    _dead_letter(self, state, message)
    assert isinstance(state.machine, StandardQueue)
    message.deliveries = 0  # or the next receive would move it again
    state.machine.reappear(message, now=self.context.now)


TASK = Task(
    name="moved-but-kept",
    kind="mutant",
    why="A message that goes to a dead-letter queue stays in its source as well.",
    design=Design(
        [Queue("orders", redrive=Redrive("orders-dlq", 2)), Queue("orders-dlq")],
        [Function("worker", timeout=5)],
        [EventSourceMapping("orders", "worker")],
    ),
    mapping="orders→worker",
    invariant="conservation",
    switch=Mutation(Service, "_dead_letter", _keep),
)

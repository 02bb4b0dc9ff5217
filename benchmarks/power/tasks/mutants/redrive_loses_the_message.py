"""DLQ-4: a message that goes to a dead-letter queue leaves its source and never arrives."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.sqs.machines.message import Message
from chaosqs.sqs.service import QueueState, Service

# pyright: reportPrivateUsage=false

_dead_letter = Service._dead_letter


def _into_nothing(self: Service, state: QueueState, message: Message) -> None:
    _dead_letter(self, state, message)
    assert state.queue.redrive is not None
    target = self.states[state.queue.redrive.dead_letter_queue].machine
    target.take_out(target.store.messages[message.number])


TASK = Task(
    name="redrive-loses-the-message",
    kind="mutant",
    why="A message that goes to a dead-letter queue leaves its source and never arrives.",
    design=Design(
        [Queue("orders", visibility_timeout=5, redrive=Redrive("orders-dlq", 1)), Queue("orders-dlq")],
        [Function("worker", timeout=5), Function("undertaker", timeout=5)],
        [EventSourceMapping("orders", "worker"), EventSourceMapping("orders-dlq", "undertaker")],
    ),
    mapping="orders-dlq→undertaker",
    invariant="no-loss-after-send",
    behaviours={"worker": Behaviour(error_rate=1), "undertaker": Behaviour()},
    switch=Mutation(Service, "_dead_letter", _into_nothing),
)

"""VT-1: receives hide messages for twice the visibility timeout."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.sqs.machines.message import Message
from chaosqs.sqs.machines.store import Store

_receive = Store.receive


def _for_twice_as_long(self: Store, message: Message, until: int, now: int) -> int:
    return _receive(self, message, 2 * until - now, now)


TASK = Task(
    name="visibility-doubled",
    kind="mutant",
    why="Receives hide messages for twice the visibility timeout.",
    design=Design(
        [Queue("orders", redrive=Redrive("orders-dlq", 3)), Queue("orders-dlq")],
        [Function("worker", timeout=5)],
        [EventSourceMapping("orders", "worker")],
    ),
    mapping="orders→worker",
    invariant="conservation",
    switch=Mutation(Store, "receive", _for_twice_as_long),
)

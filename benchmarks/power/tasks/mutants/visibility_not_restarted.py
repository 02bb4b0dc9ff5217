"""VT-3: the visibility timer runs from the first receive of a message only; a later one hides it no longer."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.sqs.machines.message import Message
from chaosqs.sqs.machines.store import Store

_receive = Store.receive


def _from_the_first(self: Store, message: Message, until: int, now: int) -> int:
    return _receive(self, message, max(now, message.visible_at) if message.receipt else until, now)


TASK = Task(
    name="visibility-not-restarted",
    kind="mutant",
    why="The visibility timer runs from the first receive of a message only; a later one hides it no longer.",
    design=Design(
        [Queue("orders", visibility_timeout=60, redrive=Redrive("orders-dlq", 5)), Queue("orders-dlq")],
        [Function("worker", timeout=5)],
        [EventSourceMapping("orders", "worker")],
    ),
    mapping="orders→worker",
    invariant="no-concurrent-processing",
    behaviours={"worker": Behaviour(seconds_per_batch=1)},
    switch=Mutation(Store, "receive", _from_the_first),
)

"""RT-1: messages go ten seconds after their retention period is over."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.sqs.machines.message import Message
from chaosqs.sqs.machines.store import Store

_put = Store.put


def _put_for_longer(self: Store, message: Message, delay: int, now: int) -> None:
    self.retention += 10_000
    _put(self, message, delay, now)
    self.retention -= 10_000


TASK = Task(
    name="expired-late",
    kind="mutant",
    why="Messages go ten seconds after their retention period is over.",
    design=Design(
        [Queue("orders", retention_period=120)],
        [Function("worker", timeout=5)],
        [EventSourceMapping("orders", "worker")],
    ),
    mapping="orders→worker",
    invariant="conservation",
    switch=Mutation(Store, "put", _put_for_longer),
)

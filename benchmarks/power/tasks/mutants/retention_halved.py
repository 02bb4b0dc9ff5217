"""RT-1: messages go when half of their retention period is over."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.sqs.machines.message import Message
from chaosqs.sqs.machines.store import Store

_put = Store.put


def _put_for_half(self: Store, message: Message, delay: int, now: int) -> None:
    whole, self.retention = self.retention, self.retention // 2
    _put(self, message, delay, now)
    self.retention = whole


_DESIGN = Design(
    [Queue("orders", retention_period=120)],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="retention-halved",
    kind="mutant",
    why="Messages go when half of their retention period is over.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="at-least-once-delivery",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)], {"worker": Behaviour(poison=[0])}),
    switch=Mutation(Store, "put", _put_for_half),
)

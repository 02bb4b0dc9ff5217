"""EQ-3: a group whose messages came back is handed out last message first."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.sqs.machines.fifo_queue import Group, Groups
from chaosqs.sqs.machines.message import Message

_takeable = Groups.takeable


def _backwards(self: Groups, group: Group, maximum: int) -> list[Message]:
    found = _takeable(self, group, maximum)
    return found[::-1] if group.returned_at else found


_DESIGN = Design(
    [Queue("orders.fifo", visibility_timeout=60)],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders.fifo", "worker")],
)

TASK = Task(
    name="group-order-swapped",
    kind="mutant",
    why="A group whose messages came back is handed out last message first.",
    design=_DESIGN,
    mapping="orders.fifo→worker",
    invariant="fifo-order",
    smallest=Scenario(_DESIGN, [Burst("orders.fifo", 2, groups=1)], {"worker": Behaviour(poison=[0])}),
    switch=Mutation(Groups, "takeable", _backwards),
)

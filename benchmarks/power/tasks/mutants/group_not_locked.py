"""FF-14: a FIFO queue passes over what is in flight, and hands out the rest of its group."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.sqs.machines import fifo_queue
from chaosqs.sqs.machines.fifo_queue import Group, Groups
from chaosqs.sqs.machines.message import Message


class _Unlocked(Groups):
    def refresh(self, group: Group) -> None:
        found = self.takeable(group, 1)
        self._set_waiting(group, max(found[0].index, group.returned_at) if found else None)

    def takeable(self, group: Group, maximum: int) -> list[Message]:
        return [message for message in group.messages if message.stored and message.visible][:maximum]


_DESIGN = Design(
    [Queue("orders.fifo", visibility_timeout=60)],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders.fifo", "worker")],
)

TASK = Task(
    name="group-not-locked",
    kind="mutant",
    why="A FIFO queue passes over what is in flight, and hands out the rest of its group.",
    design=_DESIGN,
    mapping="orders.fifo→worker",
    invariant="one-group-at-a-time",
    smallest=Scenario(_DESIGN, [Burst("orders.fifo", 2, over=1, groups=1)], {"worker": Behaviour(seconds_per_batch=1)}),
    switch=Mutation(fifo_queue, "Groups", _Unlocked),
)

"""FF-17: a group stays blocked when the visibility of its messages is over."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.sqs.machines.fifo_queue import Groups
from chaosqs.sqs.machines.message import Message


def _still_blocked(self: Groups, message: Message) -> None:
    self.groups[message.group].in_flight -= 1


_DESIGN = Design(
    [Queue("orders.fifo", visibility_timeout=30)],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders.fifo", "worker")],
)

TASK = Task(
    name="group-never-unblocks",
    kind="mutant",
    why="A group stays blocked when the visibility of its messages is over.",
    design=_DESIGN,
    mapping="orders.fifo→worker",
    invariant="drains-after-healing",
    behaviours={"worker": Behaviour()},
    smallest=Scenario(
        _DESIGN, [Burst("orders.fifo", 1, groups=1)], {"worker": Behaviour()}, FaultPlan(messages=[["throttled"]])
    ),
    switch=Mutation(Groups, "came_back", _still_blocked),
)

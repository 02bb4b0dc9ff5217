"""DL-1: a new message is visible at once, whatever the queue's delay."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.sqs.machines.message import Message
from chaosqs.sqs.machines.standard_queue import StandardQueue

_accept = StandardQueue.accept


def _at_once(self: StandardQueue, message: Message, *, now: int, delay: int | None = None) -> None:
    _accept(self, message, now=now, delay=delay or 0)


_DESIGN = Design(
    [Queue("orders", delay=10)],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="delay-ignored",
    kind="mutant",
    why="A new message is visible at once, whatever the queue's delay.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="conservation",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)]),
    switch=Mutation(StandardQueue, "accept", _at_once),
)

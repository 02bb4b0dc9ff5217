"""EC-1: pollers ask for ten messages at a time, whatever the batch size."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.machines.batching import MOST_PER_RECEIVE
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.sqs.machines.message import Receipt
from chaosqs.sqs.service import Service

_receive = Service.receive


def _ten(self: Service, name: str, maximum: int) -> list[Receipt]:
    return _receive(self, name, max(maximum, MOST_PER_RECEIVE))


_DESIGN = Design(
    [Queue("orders")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", batch_size=5)],
)

TASK = Task(
    name="batch-over-its-size",
    kind="mutant",
    why="Pollers ask for ten messages at a time, whatever the batch size.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="batches-within-limits",
    smallest=Scenario(_DESIGN, [Burst("orders", 6)]),
    switch=Mutation(Service, "receive", _ten),
)

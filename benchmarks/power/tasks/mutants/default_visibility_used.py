"""VT-1: receives hide messages for the default 30 seconds, whatever the queue says."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.sqs.machines.message import Message
from chaosqs.sqs.machines.store import Store

_receive = Store.receive


def _for_thirty_seconds(self: Store, message: Message, until: int, now: int) -> int:
    return _receive(self, message, min(until, now + 30_000), now)


_DESIGN = Design(
    [Queue("orders", visibility_timeout=180, redrive=Redrive("orders-dlq", 5)), Queue("orders-dlq")],
    [Function("worker", timeout=30)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="default-visibility-used",
    kind="mutant",
    why="Receives hide messages for the default 30 seconds, whatever the queue says.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="no-second-processing",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)], {"worker": Behaviour(seconds_per_batch=29.999)}),
    switch=Mutation(Store, "receive", _for_thirty_seconds),
)

"""DLQ-3: a standard queue grants one receive more than max_receive_count."""

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


def _uncounted(self: Store, message: Message, until: int, now: int) -> int:
    receipt = _receive(self, message, until, now)
    message.deliveries -= receipt == 1
    return receipt


_DESIGN = Design(
    [Queue("orders", redrive=Redrive("orders-dlq", 3)), Queue("orders-dlq")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="dead-letter-one-receive-late",
    kind="mutant",
    why="The first receive from a queue is not counted for its redrive policy, so one message gets one too many.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="bounded-retries",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)], {"worker": Behaviour(poison=[0])}),
    switch=Mutation(Store, "receive", _uncounted),
)

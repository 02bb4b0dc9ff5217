"""DLQ-3: a FIFO queue dead-letters a message one receive early."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.sqs.machines.fifo_queue import FifoQueue
from chaosqs.sqs.machines.message import Message


def _is_over(self: FifoQueue, message: Message) -> bool:
    redrive = self.queue.redrive
    return redrive is not None and message.deliveries + 1 >= redrive.max_receive_count


_DESIGN = Design(
    [Queue("orders.fifo", redrive=Redrive("orders-dlq.fifo", 3)), Queue("orders-dlq.fifo")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders.fifo", "worker")],
)

TASK = Task(
    name="dead-letter-one-receive-early",
    kind="mutant",
    why="A FIFO queue dead-letters a message one receive early.",
    design=_DESIGN,
    mapping="orders.fifo→worker",
    invariant="no-early-dead-lettering",
    smallest=Scenario(_DESIGN, [Burst("orders.fifo", 1, groups=1)], {"worker": Behaviour(poison=[0])}),
    switch=Mutation(FifoQueue, "_is_over", _is_over),
)

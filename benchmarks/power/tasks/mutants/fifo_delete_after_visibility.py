"""RH-5: a FIFO queue takes a delete whose receipt's visibility is over."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.sqs.machines.fifo_queue import FifoQueue
from chaosqs.sqs.machines.message import Receipt
from chaosqs.sqs.machines.queue_machine import Outcome


def _delete(self: FifoQueue, receipt: Receipt) -> Outcome:
    message = receipt.message
    if not message.stored:
        return Outcome.GONE
    if message.receipt != receipt.number:  # the right one asks whether it is visible, too
        return Outcome.EXPIRED
    self.store.forget(message)
    self.groups.left(message)
    return Outcome.DONE


TASK = Task(
    name="fifo-delete-after-visibility",
    kind="mutant",
    why="A FIFO queue takes a delete whose receipt's visibility is over.",
    design=Design(
        [Queue("orders.fifo", visibility_timeout=5)],
        [Function("worker", timeout=5, reserved_concurrency=2)],
        [EventSourceMapping("orders.fifo", "worker", maximum_concurrency=2)],
    ),
    mapping="orders.fifo→worker",
    invariant="conservation",
    behaviours={"worker": Behaviour(seconds_per_batch=4.9)},
    switch=Mutation(FifoQueue, "delete", _delete),
)

"""RH-5, FF-22: a FIFO queue takes a delete by a receipt that is not the latest one."""

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
    if message.visible:  # the right one asks whether the receipt is the latest, too
        return Outcome.EXPIRED
    self.store.forget(message)
    self.groups.left(message)
    return Outcome.DONE


TASK = Task(
    name="fifo-stale-receipt-accepted",
    kind="mutant",
    why="A FIFO queue takes a delete by a receipt that is not the latest one, so its group goes on too soon.",
    design=Design(
        [Queue("orders.fifo", visibility_timeout=12)],
        [Function("worker", timeout=8)],
        [EventSourceMapping("orders.fifo", "worker", batch_size=1)],
    ),
    mapping="orders.fifo→worker",
    invariant="one-group-at-a-time",
    behaviours={"worker": Behaviour(seconds_per_batch=7.5)},
    switch=Mutation(FifoQueue, "delete", _delete),
)

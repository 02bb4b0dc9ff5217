"""FF-5: a FIFO queue takes the message that a producer sends again because the answer got lost."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.producer import Producer, _Attempt
from chaosqs.sqs.machines.message import Message

# pyright: reportPrivateUsage=false


def _accept(
    self: Producer, attempt: _Attempt, *, delay: int | None = None, fault: str = "", repeats: bool = False
) -> None:
    arrival, state = attempt.arrival, self.service.states[attempt.arrival.queue]
    message = Message(
        attempt.number, arrival.body_bytes, self.context.now, group=arrival.group, copy_of=attempt.copy_of
    )
    self.service.put(state, message, delay=delay, cause=attempt.cause, fault=fault)
    if repeats:  # the right one asks whether the queue is a FIFO queue, too
        copy = _Attempt(self.service.numbers.take(), arrival, message.last_event, attempt.number)
        self._later(copy, self.context.now + self.context.assumptions.send_retry)


_DESIGN = Design(
    [Queue("orders.fifo")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders.fifo", "worker")],
)

TASK = Task(
    name="fifo-copy-accepted",
    kind="mutant",
    why="A FIFO queue takes the message that a producer sends again because the answer got lost.",
    design=_DESIGN,
    mapping="orders.fifo→worker",
    invariant="deduplication-holds",
    smallest=Scenario(_DESIGN, [Burst("orders.fifo", 1, groups=1)], faults=FaultPlan(sends=["lost_send_response"])),
    switch=Mutation(Producer, "_accept", _accept),
)

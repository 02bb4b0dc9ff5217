"""ES-8, EC-15: a throttled batch is given back to the queue, where it is visible at once."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.mapping import Mapping
from chaosqs.esm.poller_fleet import Poller
from chaosqs.lambda_.invocation import Request
from chaosqs.lambda_.machines.concurrency import Refused
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive

# pyright: reportPrivateUsage=false

_throttle = Mapping._throttle


def _give_back(self: Mapping, poller: Poller, request: Request, refused: Refused, fault: str) -> None:
    poller.gives_up = self.context.now
    _throttle(self, poller, request, refused, fault)
    for receipt in request.receipts:
        self.service.change_visibility(self.state, receipt, 0)


TASK = Task(
    name="throttled-batch-shown-at-once",
    kind="mutant",
    why="A throttled batch is given back to the queue, where it is visible at once.",
    design=Design(
        [Queue("orders", visibility_timeout=30, redrive=Redrive("orders-dlq", 3)), Queue("orders-dlq")],
        [Function("worker", timeout=5, reserved_concurrency=2)],
        [EventSourceMapping("orders", "worker")],
    ),
    mapping="orders→worker",
    invariant="conservation",
    switch=Mutation(Mapping, "_throttle", _give_back),
)

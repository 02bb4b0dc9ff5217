"""ES-8: a poller gives a throttled batch up at once instead of trying again until visibility is over."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.mapping import Mapping
from chaosqs.esm.poller_fleet import Poller
from chaosqs.lambda_.invocation import Request
from chaosqs.lambda_.machines.concurrency import Refused
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive

# pyright: reportPrivateUsage=false

_throttle = Mapping._throttle


def _give_up(self: Mapping, poller: Poller, request: Request, refused: Refused, fault: str) -> None:
    poller.gives_up = self.context.now
    _throttle(self, poller, request, refused, fault)


TASK = Task(
    name="gives-up-at-first-throttle",
    kind="mutant",
    why="A poller gives a throttled batch up at once instead of trying again until visibility is over.",
    design=Design(
        [Queue("orders", visibility_timeout=180, redrive=Redrive("orders-dlq", 1)), Queue("orders-dlq")],
        [Function("worker", timeout=5, reserved_concurrency=2)],
        [EventSourceMapping("orders", "worker")],
    ),
    mapping="orders→worker",
    invariant="no-dead-lettering-by-throttling",
    behaviours={"worker": Behaviour()},
    switch=Mutation(Mapping, "_throttle", _give_up),
)

"""ES-8: what a poller gives up after throttles is gone from the queue."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.mapping import Mapping
from chaosqs.esm.poller_fleet import Poller
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.event import ReleaseReason

# pyright: reportPrivateUsage=false

_release = Mapping._release


def _lose(self: Mapping, poller: Poller, why: ReleaseReason, cause: int, fault: str = "") -> None:
    if why == "throttled":
        self.service.delete(self.mapping.queue, poller.receipts)
    _release(self, poller, why, cause, fault)


TASK = Task(
    name="throttled-batch-lost",
    kind="mutant",
    why="What a poller gives up after throttles is gone from the queue.",
    design=Design(
        [Queue("orders", visibility_timeout=5)],
        [Function("worker", timeout=5, reserved_concurrency=1)],
        [EventSourceMapping("orders", "worker", batch_size=1)],
    ),
    mapping="orders→worker",
    invariant="no-loss-after-send",
    switch=Mutation(Mapping, "_release", _lose),
)

"""EP-13, LX-11: a batch that a poller lets go without an answer of its function is gone from the queue."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.mapping import Mapping
from chaosqs.esm.poller_fleet import Poller
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.event import ReleaseReason
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

# pyright: reportPrivateUsage=false

_release = Mapping._release


def _lose(self: Mapping, poller: Poller, why: ReleaseReason, cause: int, fault: str = "") -> None:
    if why in {"service error", "no answer"}:
        self.service.delete(self.mapping.queue, poller.receipts)
    _release(self, poller, why, cause, fault)


_DESIGN = Design(
    [Queue("orders")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="batch-lost-without-answer",
    kind="mutant",
    why="A batch that a poller lets go without an answer of its function is gone from the queue.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="no-loss-after-send",
    behaviours={"worker": Behaviour()},
    smallest=Scenario(_DESIGN, [Burst("orders", 1)], {"worker": Behaviour()}, FaultPlan(messages=[["service_error"]])),
    switch=Mutation(Mapping, "_release", _lose),
)

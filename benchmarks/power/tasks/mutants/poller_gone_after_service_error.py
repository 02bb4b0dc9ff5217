"""LX-11, EP-13: a poller that got a service error, or no answer, never polls again."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.mapping import Mapping
from chaosqs.esm.poller_fleet import Poller
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.event import Released, ReleaseReason
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

# pyright: reportPrivateUsage=false

_release = Mapping._release


def _stop(self: Mapping, poller: Poller, why: ReleaseReason, cause: int, fault: str = "") -> None:
    if why not in {"service error", "no answer"}:
        return _release(self, poller, why, cause, fault)
    assert poller.request is not None
    messages, poller.request, poller.receipts = poller.request.messages, None, ()
    self.record(Released(self.event_queue.now, cause, self.mapping.name, poller.number, messages, why, fault))
    self.carried -= 1
    return None


_DESIGN = Design(
    [Queue("orders", visibility_timeout=30)],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", batch_size=1, maximum_concurrency=2)],
)

TASK = Task(
    name="poller-gone-after-service-error",
    kind="mutant",
    why="A poller that got a service error, or no answer, never polls again.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="drains-after-healing",
    behaviours={"worker": Behaviour()},
    smallest=Scenario(
        _DESIGN, [Burst("orders", 1)], {"worker": Behaviour()}, FaultPlan(messages=[["service_error", "service_error"]])
    ),
    switch=Mutation(Mapping, "_release", _stop),
)

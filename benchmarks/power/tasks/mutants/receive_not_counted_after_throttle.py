"""ES-9: a receive whose batch was throttled up to the end of its visibility is not counted."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.mapping import Mapping
from chaosqs.esm.poller_fleet import Poller
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.event import ReleaseReason
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

# pyright: reportPrivateUsage=false

_release = Mapping._release


def _uncounted(self: Mapping, poller: Poller, why: ReleaseReason, cause: int, fault: str = "") -> None:
    for receipt in poller.receipts if why == "throttled" else ():
        receipt.message.receive_count -= 1
    _release(self, poller, why, cause, fault)


_DESIGN = Design(
    [Queue("orders", visibility_timeout=5)],
    [Function("worker", timeout=5, reserved_concurrency=1)],
    [EventSourceMapping("orders", "worker", batch_size=1)],
)

TASK = Task(
    name="receive-not-counted-after-throttle",
    kind="mutant",
    why="A receive whose batch was throttled up to the end of its visibility is not counted.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="conservation",
    smallest=Scenario(_DESIGN, [Burst("orders", 3)], {"worker": Behaviour(seconds_per_batch=2)}),
    switch=Mutation(Mapping, "_release", _uncounted),
)

"""EF-1: nothing is deleted after a success."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.deleting import Deleting
from chaosqs.esm.poller_fleet import Poller
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst


def _go_on(self: Deleting, poller: Poller, _failed: tuple[int, ...], _cause: int) -> None:
    self.done(poller)


_DESIGN = Design(
    [Queue("orders", visibility_timeout=30)],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="success-not-deleted",
    kind="mutant",
    why="Nothing is deleted after a success, so that every message comes back for ever.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="drains-after-healing",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)]),
    switch=Mutation(Deleting, "delete", _go_on),
)

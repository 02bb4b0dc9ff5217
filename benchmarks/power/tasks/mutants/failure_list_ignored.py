"""EF-2, section 10.3: what a function reports as failed is deleted although its mapping reads the answer."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.deleting import Deleting
from chaosqs.esm.poller_fleet import Poller
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_delete = Deleting.delete


def _delete_all(self: Deleting, poller: Poller, _failed: tuple[int, ...], cause: int) -> None:
    _delete(self, poller, (), cause)


_DESIGN = Design(
    [Queue("orders")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", report_batch_item_failures=True)],
)

TASK = Task(
    name="failure-list-ignored",
    kind="mutant",
    why="What a function reports as failed is deleted although its mapping reads the answer.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="reported-failures-kept",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)], {"worker": Behaviour(poison=[0])}),
    switch=Mutation(Deleting, "delete", _delete_all),
)

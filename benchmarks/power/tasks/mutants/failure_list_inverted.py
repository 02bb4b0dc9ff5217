"""Section 10.3: of a batch with failures those are deleted that failed, and the others stay."""

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


def _delete_failed(self: Deleting, poller: Poller, failed: tuple[int, ...], cause: int) -> None:
    assert poller.request is not None
    _delete(self, poller, tuple(set(poller.request.messages) - set(failed)) if failed else (), cause)


_DESIGN = Design(
    [Queue("orders")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", report_batch_item_failures=True)],
)

TASK = Task(
    name="failure-list-inverted",
    kind="mutant",
    why="Of a batch with failures those are deleted that failed, and the others stay.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="at-least-once-delivery",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)], {"worker": Behaviour(poison=[0])}),
    switch=Mutation(Deleting, "delete", _delete_failed),
)

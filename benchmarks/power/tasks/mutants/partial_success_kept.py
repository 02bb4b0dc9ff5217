"""Section 10.3: one reported failure keeps its whole batch in the queue."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.deleting import Deleting
from chaosqs.esm.poller_fleet import Poller
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_delete = Deleting.delete


def _delete_all_or_nothing(self: Deleting, poller: Poller, failed: tuple[int, ...], cause: int) -> None:
    assert poller.request is not None
    _delete(self, poller, poller.request.messages if failed else (), cause)


_DESIGN = Design(
    [Queue("orders", visibility_timeout=60, redrive=Redrive("orders-dlq", 5)), Queue("orders-dlq")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", report_batch_item_failures=True)],
)

TASK = Task(
    name="partial-success-kept",
    kind="mutant",
    why="One reported failure keeps its whole batch in the queue.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="no-second-processing",
    smallest=Scenario(_DESIGN, [Burst("orders", 2)], {"worker": Behaviour(poison=[0])}),
    switch=Mutation(Deleting, "delete", _delete_all_or_nothing),
)

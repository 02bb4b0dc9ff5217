"""EF-8, RX-7: a receive that failed counts as one of the first message in line."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.poller_fleet import Poller
from chaosqs.esm.receive_loop import ReceiveFaults
from chaosqs.kernel.context import InjectedFault
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_fail = ReceiveFaults.fail


def _counted(self: ReceiveFaults, poller: Poller, injected: InjectedFault) -> int | None:
    due, first = _fail(self, poller, injected), self.state.machine.head()
    if due is not None and first is not None:
        first.receive_count += 1
    return due


_DESIGN = Design(
    [Queue("orders")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="failed-receive-counts",
    kind="mutant",
    why="A receive that failed counts as one of the first message in line.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="conservation",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)], faults=FaultPlan(messages=[["failed_receive"]])),
    switch=Mutation(ReceiveFaults, "fail", _counted),
)

"""RX-5, VT-4: long polls do not learn of messages whose visibility is over."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.sqs.service import QueueState, Service

# pyright: reportPrivateUsage=false


def _settle(self: Service, state: QueueState) -> None:
    for message in state.machine.settle(now=self.context.now):
        if message.receipt:
            self._returned(state, message)  # the right one serves those who wait, too


_DESIGN = Design(
    [Queue("orders", visibility_timeout=30)],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="nobody-woken-by-returns",
    kind="mutant",
    why="Long polls do not learn of messages whose visibility is over.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="drains-after-healing",
    behaviours={"worker": Behaviour()},
    smallest=Scenario(_DESIGN, [Burst("orders", 1)], {"worker": Behaviour()}, FaultPlan(messages=[["service_error"]])),
    switch=Mutation(Service, "_settle", _settle),
)

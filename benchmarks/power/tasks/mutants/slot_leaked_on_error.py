"""LX-7: the execution of an invocation that raised is not given back."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.lambda_.invocation import Invocation, InvocationOutcome, Lambda
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

# pyright: reportPrivateUsage=false

_end = Lambda._end


def _kept(self: Lambda, invocation: Invocation, outcome: InvocationOutcome) -> None:
    _end(self, invocation, outcome)
    pool = self.executions._shares[invocation.request.mapping.function].pool
    pool.running += outcome.outcome == "raised"
    pool.on_demand += outcome.outcome == "raised"


_DESIGN = Design(
    [Queue("orders", visibility_timeout=30)],
    [Function("worker", timeout=5, reserved_concurrency=1)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="slot-leaked-on-error",
    kind="mutant",
    why="The execution of an invocation that raised is not given back.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="drains-after-healing",
    behaviours={"worker": Behaviour()},
    smallest=Scenario(_DESIGN, [Burst("orders", 1)], {"worker": Behaviour()}, FaultPlan(messages=[["error"]])),
    switch=Mutation(Lambda, "_end", _kept),
)

"""LC-9: a provisioned environment is not provisioned again after a crash or a timeout."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.lambda_.machines.environments import Environment, Environments
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_give_back = Environments.give_back


def _lose(self: Environments, environment: Environment, *, now: int, reusable: bool) -> None:
    if reusable or not environment.provisioned:
        _give_back(self, environment, now=now, reusable=reusable)


_DESIGN = Design(
    [Queue("orders")],
    [Function("worker", timeout=5, reserved_concurrency=2, provisioned_concurrency=2)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="provisioned-environment-lost",
    kind="mutant",
    why="A provisioned environment is not provisioned again after a crash or a timeout.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="drains-after-healing",
    behaviours={"worker": Behaviour()},
    smallest=Scenario(
        _DESIGN, [Burst("orders", 1)], {"worker": Behaviour()}, FaultPlan(messages=[["timeout", "timeout"]])
    ),
    switch=Mutation(Environments, "give_back", _lose),
)

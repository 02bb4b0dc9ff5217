"""LC-3: a function with a reservation runs in what is unreserved, like all others."""

from __future__ import annotations

import attrs

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.lambda_.machines.concurrency import Executions, _Pool, _Share
from chaosqs.lambda_.machines.invocation_rate import Rate
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

# pyright: reportPrivateUsage=false

_share = Executions._share


def _unreserved(self: Executions, function: Function, unreserved: _Pool, shared_growth: Rate | None) -> _Share:
    return _share(self, attrs.evolve(function, reserved_concurrency=None), unreserved, shared_growth)


_DESIGN = Design(
    [Queue("orders", visibility_timeout=30)],
    [Function("worker", timeout=5, reserved_concurrency=2)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="reservation-shared",
    kind="mutant",
    why="A function with a reservation runs in what is unreserved, like all others.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="concurrency-within-its-limits",
    smallest=Scenario(_DESIGN, [Burst("orders", 3, over=1)], {"worker": Behaviour(seconds_per_batch=1)}),
    switch=Mutation(Executions, "_share", _unreserved),
)

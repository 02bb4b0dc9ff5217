"""MC-1: the pollers of a mapping scale past its maximum concurrency."""

from __future__ import annotations

import attrs

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.machines.scaling import ScalingLimits, scaling_limits
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation import run


def _without_maximum(mapping: EventSourceMapping, era: str) -> ScalingLimits:
    return scaling_limits(attrs.evolve(mapping, maximum_concurrency=None), era)


_DESIGN = Design(
    [Queue("orders", visibility_timeout=30)],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", maximum_concurrency=3)],
)

TASK = Task(
    name="maximum-concurrency-ignored",
    kind="mutant",
    why="The pollers of a mapping scale past its maximum concurrency.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="concurrency-within-its-limits",
    smallest=Scenario(_DESIGN, [Burst("orders", 4, over=1)], {"worker": Behaviour(seconds_per_batch=1)}),
    switch=Mutation(run, "law", _without_maximum),
)

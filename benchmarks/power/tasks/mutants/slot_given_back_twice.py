"""LX-14: an invocation that crashed or timed out gives its execution back twice."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.lambda_.machines.concurrency import Executions
from chaosqs.lambda_.machines.environments import Environment
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue

# pyright: reportPrivateUsage=false

_end = Executions.end


def _twice(self: Executions, function: str, environment: Environment, *, now: int, reusable: bool) -> None:
    _end(self, function, environment, now=now, reusable=reusable)
    self._shares[function].pool.running -= not reusable
    self._shares[function].pool.on_demand -= not reusable


TASK = Task(
    name="slot-given-back-twice",
    kind="mutant",
    why="An invocation that crashed or timed out gives its execution back twice, so that others get one too many.",
    design=Design(
        [Queue("orders", visibility_timeout=30)],
        [Function("worker", timeout=5, reserved_concurrency=2)],
        [EventSourceMapping("orders", "worker")],
    ),
    mapping="orders→worker",
    invariant="concurrency-within-its-limits",
    switch=Mutation(Executions, "end", _twice),
)

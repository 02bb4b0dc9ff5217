"""LX-13: an environment is thrown away after its invocation, so that every invocation starts cold."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.lambda_.machines.environments import Environment, Environments
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue

_give_back = Environments.give_back


def _throw_away(self: Environments, environment: Environment, *, now: int, reusable: bool) -> None:
    _give_back(self, environment, now=now, reusable=reusable)
    self.forget_idle()


TASK = Task(
    name="environments-not-kept",
    kind="mutant",
    why="An environment is thrown away after its invocation, so that every invocation starts cold.",
    design=Design(
        [Queue("orders")],
        [Function("worker", timeout=5, reserved_concurrency=2)],
        [EventSourceMapping("orders", "worker")],
    ),
    mapping="orders→worker",
    invariant="conservation",
    switch=Mutation(Environments, "give_back", _throw_away),
)

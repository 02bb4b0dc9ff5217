"""VT-4: only the first message that a queue hides has a timer that shows it again."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.sqs.service import QueueState, Service

_wake_at = Service.wake_at


def _once(self: Service, state: QueueState, due: int) -> None:
    if state.last_wake < 0:
        _wake_at(self, state, due)


TASK = Task(
    name="wake-up-missing",
    kind="mutant",
    why="Only the first message that a queue hides has a timer that shows it again.",
    design=Design(
        [Queue("orders", visibility_timeout=30)],
        [Function("worker", timeout=5)],
        [EventSourceMapping("orders", "worker")],
    ),
    mapping="orders→worker",
    invariant="conservation",
    behaviours={"worker": Behaviour()},
    switch=Mutation(Service, "wake_at", _once),
)

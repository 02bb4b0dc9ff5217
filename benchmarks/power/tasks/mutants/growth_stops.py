"""ES-2: a mapping never has more pollers than it began with."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.machines.scaling import Scaling
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive

_grow = Scaling.grow


def _back_to_the_first(self: Scaling, *, throttled: bool) -> bool:
    return self.pollers < self.scaling_limits.start and _grow(self, throttled=throttled)


TASK = Task(
    name="growth-stops",
    kind="mutant",
    why="A mapping never has more pollers than it began with.",
    design=Design(
        [Queue("orders", visibility_timeout=5, redrive=Redrive("orders-dlq", 1)), Queue("orders-dlq")],
        [Function("worker", timeout=5)],
        [EventSourceMapping("orders", "worker", batch_size=1)],
    ),
    mapping="orders→worker",
    invariant="drains-after-healing",
    behaviours={"worker": Behaviour(seconds_per_batch=4)},
    switch=Mutation(Scaling, "grow", _back_to_the_first),
)

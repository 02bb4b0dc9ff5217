"""EC-23: what the pollers have gathered is gone when their mapping is disabled."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.mapping import Mapping
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue

_retire = Mapping.retire


def _lose(self: Mapping) -> None:
    for poller in self.fleet.pollers:
        self.service.delete(self.mapping.queue, poller.held)
        poller.held, poller.batcher = [], None
    _retire(self)


TASK = Task(
    name="gathered-batch-lost-on-disable",
    kind="mutant",
    why="What the pollers have gathered is gone when their mapping is disabled.",
    design=Design(
        [Queue("orders", visibility_timeout=120)],
        [Function("worker", timeout=5)],
        [EventSourceMapping("orders", "worker", batch_size=100, maximum_batching_window=30)],
    ),
    mapping="orders→worker",
    invariant="no-loss-after-send",
    behaviours={"worker": Behaviour()},
    switch=Mutation(Mapping, "retire", _lose),
)

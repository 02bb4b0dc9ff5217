"""EP-4: a batch is handed over as soon as it has a message, whatever the batching window."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.machines.batching import Batcher
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue

# pyright: reportPrivateUsage=false


def _at_once(self: Batcher) -> int | None:
    return self._latest if self.held else None


TASK = Task(
    name="window-closes-early",
    kind="mutant",
    why="A batch is handed over as soon as it has a message, whatever the batching window.",
    design=Design(
        [Queue("orders", visibility_timeout=60)],
        [Function("worker", timeout=5)],
        [EventSourceMapping("orders", "worker", batch_size=25, maximum_batching_window=5)],
    ),
    mapping="orders→worker",
    invariant="batches-within-limits",
    switch=Mutation(Batcher, "due", _at_once),
)

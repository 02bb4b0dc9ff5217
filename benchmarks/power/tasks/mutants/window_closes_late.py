"""EP-4: a batching window is open for twice as long as it says."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.machines.batching import Batcher
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_due = Batcher.due


def _late(self: Batcher) -> int | None:
    right, self.window = self.window, 2 * self.window
    due = _due(self)
    self.window = right
    return due


_DESIGN = Design(
    [Queue("orders", visibility_timeout=180)],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", batch_size=100, maximum_batching_window=60)],
)

TASK = Task(
    name="window-closes-late",
    kind="mutant",
    why="A batching window is open for twice as long as it says.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="batches-within-limits",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)]),
    switch=Mutation(Batcher, "due", _late),
)

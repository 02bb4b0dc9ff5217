"""A batching window eats the visibility timeout before the function begins.

By argument: a message waits 20 s for its batch and has 10 s of the 30 left, so a usual duration is in time, and half
the timeout is not. A batch size of 1 does not wait.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", visibility_timeout=30)],
    [Function("worker", timeout=20)],
    [EventSourceMapping("orders", "worker", batch_size=100, maximum_batching_window=20)],
)

TASK = Task(
    name="visibility-below-window-and-timeout",
    kind="design mistake",
    why="A batching window eats the visibility timeout before the function begins.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="no-second-processing",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)], {"worker": Behaviour(seconds_per_batch=10)}),
    relevant=(
        "visibility_timeout",
        "batch_size",
        "maximum_batching_window",
    ),
)

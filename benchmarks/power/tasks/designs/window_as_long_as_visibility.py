"""The batching window is as long as the visibility timeout, so a message is back before its batch is sent.

By argument: no run is smaller than one message of a default function. A batch size of 1 does not wait.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", visibility_timeout=60)],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", batch_size=100, maximum_batching_window=60)],
)

TASK = Task(
    name="window-as-long-as-visibility",
    kind="design mistake",
    why="The batching window is as long as the visibility timeout, so a message is back before its batch is sent.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="no-second-processing",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)]),
    relevant=(
        "visibility_timeout",
        "batch_size",
        "maximum_batching_window",
    ),
)

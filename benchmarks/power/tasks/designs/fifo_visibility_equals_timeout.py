"""A FIFO group is handed out again while its first batch still runs: visibility and function timeout are equal.

By argument, as for the standard queue; 999 executions of other functions leave a single one, too (LC-3).
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders.fifo", visibility_timeout=10)],
    [Function("worker", timeout=10)],
    [EventSourceMapping("orders.fifo", "worker", batch_size=1)],
)

TASK = Task(
    name="fifo-visibility-equals-timeout",
    kind="design mistake",
    why="A FIFO group is handed out again while its first batch still runs: visibility and function timeout are equal.",
    design=_DESIGN,
    mapping="orders.fifo→worker",
    invariant="one-group-at-a-time",
    smallest=Scenario(_DESIGN, [Burst("orders.fifo", 1, groups=1)], {"worker": Behaviour(seconds_per_batch=9.999)}),
    relevant=(
        "visibility_timeout",
        "reserved_concurrency",
        "concurrency",
        "other_traffic",
    ),
)

"""Without a redrive policy one poison message blocks its FIFO group until its retention ends.

By argument: a message that itself fails is excused, so one must wait behind it. In a batch with it, it fails as
well. A longer visibility timeout only outlasts the observation.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders.fifo")], [Function("worker", timeout=5)], [EventSourceMapping("orders.fifo", "worker", batch_size=1)]
)

TASK = Task(
    name="fifo-group-blocked",
    kind="design mistake",
    why="Without a redrive policy one poison message blocks its FIFO group until its retention ends.",
    design=_DESIGN,
    mapping="orders.fifo→worker",
    invariant="drains-after-healing",
    smallest=Scenario(_DESIGN, [Burst("orders.fifo", 2, groups=1)], {"worker": Behaviour(poison=(0,))}),
    relevant=(
        "batch_size",
        "redrive",
    ),
)

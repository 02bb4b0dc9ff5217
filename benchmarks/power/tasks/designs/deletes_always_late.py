"""Function and visibility timeout are equal, so a slow function deletes too late for ever.

By argument: no run is smaller than one message, and a function that is not slow deletes in time.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", visibility_timeout=5)], [Function("worker", timeout=5)], [EventSourceMapping("orders", "worker")]
)

TASK = Task(
    name="deletes-always-late",
    kind="design mistake",
    why="Function and visibility timeout are equal, so a slow function deletes too late for ever.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="drains-after-healing",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)], {"worker": Behaviour(seconds_per_batch=4.999)}),
    relevant=("visibility_timeout",),
)

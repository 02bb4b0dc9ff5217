"""Without a redrive policy a message that always fails comes back for days.

By argument: no run is smaller than one message that fails. A longer visibility timeout only outlasts the
observation.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", visibility_timeout=30)], [Function("worker", timeout=5)], [EventSourceMapping("orders", "worker")]
)

TASK = Task(
    name="no-redrive-policy",
    kind="design mistake",
    why="Without a redrive policy a message that always fails comes back for days.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="bounded-retries-up-to-5",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)], {"worker": Behaviour(poison=(0,))}),
    relevant=("redrive",),
)

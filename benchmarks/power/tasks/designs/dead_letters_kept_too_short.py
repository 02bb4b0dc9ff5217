"""The dead-letter queue keeps messages for a day, its source for four.

By argument: one message that fails, and a run that lasts for the four days that its source would keep it.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", redrive=Redrive("orders-dlq", 3)), Queue("orders-dlq", retention_period=86_400)],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="dead-letters-kept-too-short",
    kind="design mistake",
    why="The dead-letter queue keeps messages for a day, its source for four.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="dead-letter-queue-outlives-source",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)], {"worker": Behaviour(poison=(0,))}),
    relevant=("retention_period",),
)

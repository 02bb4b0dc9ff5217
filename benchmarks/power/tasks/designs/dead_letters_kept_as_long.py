"""The dead-letter queue keeps messages exactly as long as its source, which their age there shortens.

By argument: one message that fails, and a run that lasts for the hour of its retention. With receives that take
longer than the hour it expires in the source: that is another price, as nobody can look at it even for a while. So
neither the visibility timeout nor max_receive_count is relevant.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [
        Queue("orders", retention_period=3600, redrive=Redrive("orders-dlq", 5)),
        Queue("orders-dlq", retention_period=3600),
    ],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="dead-letters-kept-as-long",
    kind="design mistake",
    why="The dead-letter queue keeps messages exactly as long as its source, which their age there shortens.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="dead-letter-queue-outlives-source",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)], {"worker": Behaviour(poison=(0,))}),
    relevant=("retention_period",),
)

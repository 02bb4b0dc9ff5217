"""The function reports which messages failed, and the mapping was never told to read that.

By argument: the handler reports the second message, so there must be two.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", redrive=Redrive("orders-dlq", 3)), Queue("orders-dlq")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", batch_size=10)],
)

TASK = Task(
    name="failure-list-unread",
    kind="design mistake",
    why="The function reports which messages failed, and the mapping was never told to read that.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="reported-failures-kept",
    behaviours={"worker": Behaviour(handler="benchmarks.power.handlers:reports_the_second")},
    smallest=Scenario(
        _DESIGN, [Burst("orders", 2)], {"worker": Behaviour(handler="benchmarks.power.handlers:reports_the_second")}
    ),
    relevant=("report_batch_item_failures",),
)

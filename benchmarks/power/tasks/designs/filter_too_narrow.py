"""The filter asks for a field that orders do not have, so all of them are deleted unseen.

By argument: no run is smaller than one message.
"""

from __future__ import annotations

from benchmarks.power.promises import nothing_filtered_out
from benchmarks.power.task import Task
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", filters=('{"body": {"kind": ["order"]}}',))],
)

TASK = Task(
    name="filter-too-narrow",
    kind="design mistake",
    why="The filter asks for a field that orders do not have, so all of them are deleted unseen.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant=nothing_filtered_out.name,
    smallest=Scenario(_DESIGN, [Burst("orders", 1)]),
    relevant=("filters",),
)

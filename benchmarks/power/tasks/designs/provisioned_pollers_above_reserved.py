"""Twenty provisioned pollers read for four executions.

By enumeration, and by argument: four executions take four messages.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", visibility_timeout=60, redrive=Redrive("orders-dlq", 1)), Queue("orders-dlq")],
    [Function("worker", timeout=60, reserved_concurrency=4)],
    [EventSourceMapping("orders", "worker", batch_size=1, provisioned_pollers=(20, 20))],
)

TASK = Task(
    name="provisioned-pollers-above-reserved",
    kind="design mistake",
    why="Twenty provisioned pollers read for four executions.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="no-dead-lettering-by-throttling",
    smallest=Scenario(_DESIGN, [Burst("orders", 5)], {"worker": Behaviour(seconds_per_batch=59)}),
    relevant=(
        "visibility_timeout",
        "max_receive_count",
        "reserved_concurrency",
        "batch_size",
    ),
)

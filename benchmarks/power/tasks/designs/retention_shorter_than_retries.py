"""Retention ends before the deliveries do, so a failing message never reaches the dead-letter queue.

By argument: no run is smaller than one message that fails. Ten deliveries fit into the 120 s where each hides the
message for 11 s at the most, which a function timeout of 10 s allows.
"""

from __future__ import annotations

from benchmarks.power.promises import nothing_expires_unprocessed
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [
        Queue("orders", visibility_timeout=60, retention_period=120, redrive=Redrive("orders-dlq", 10)),
        Queue("orders-dlq"),
    ],
    [Function("worker", timeout=10)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="retention-shorter-than-retries",
    kind="design mistake",
    why="Retention ends before the deliveries do, so a failing message never reaches the dead-letter queue.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant=nothing_expires_unprocessed.name,
    smallest=Scenario(_DESIGN, [Burst("orders", 1)], {"worker": Behaviour(poison=(0,))}),
    relevant=(
        "retention_period",
        "max_receive_count",
        "visibility_timeout",
    ),
)

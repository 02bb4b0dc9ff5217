"""One execution cannot work off in five minutes what arrives at once.

By enumeration.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", visibility_timeout=180)],
    [Function("worker", timeout=30, reserved_concurrency=1)],
    [EventSourceMapping("orders", "worker", batch_size=1)],
)

TASK = Task(
    name="one-reservation-for-a-flood",
    kind="design mistake",
    why="One execution cannot work off in five minutes what arrives at once.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="oldest-message-within-300-s",
    behaviours={"worker": Behaviour(seconds_per_batch=20)},
    smallest=Scenario(_DESIGN, [Burst("orders", 12, over=5)], {"worker": Behaviour(seconds_per_batch=20)}),
    relevant=(
        "visibility_timeout",
        "reserved_concurrency",
        "batch_size",
        "maximum_concurrency",
        "provisioned_pollers",
    ),
)

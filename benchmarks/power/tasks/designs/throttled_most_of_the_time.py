"""Two executions for five pollers: most attempts to invoke are throttled.

By enumeration, and by argument: two messages run at once.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", visibility_timeout=180)],
    [Function("worker", timeout=30, reserved_concurrency=2)],
    [EventSourceMapping("orders", "worker", batch_size=1)],
)

TASK = Task(
    name="throttled-most-of-the-time",
    kind="design mistake",
    why="Two executions for five pollers: most attempts to invoke are throttled.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="throttle-rate-up-to-50-percent",
    smallest=Scenario(_DESIGN, [Burst("orders", 3)], {"worker": Behaviour(seconds_per_batch=10)}),
    relevant=(
        "reserved_concurrency",
        "maximum_concurrency",
    ),
)

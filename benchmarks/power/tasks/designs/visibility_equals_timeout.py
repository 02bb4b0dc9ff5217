"""The visibility timeout equals the function timeout, and a cold start comes on top of the latter.

By argument: no run is smaller than one message, and one message without a slow function is deleted in time. A single
execution, reserved, of the account or left by other functions (LC-3), keeps the second invocation waiting.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", visibility_timeout=10)],
    [Function("worker", timeout=10)],
    [EventSourceMapping("orders", "worker", batch_size=1)],
)

TASK = Task(
    name="visibility-equals-timeout",
    kind="design mistake",
    why="The visibility timeout equals the function timeout, and a cold start comes on top of the latter.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="no-concurrent-processing",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)], {"worker": Behaviour(seconds_per_batch=9.999)}),
    relevant=(
        "visibility_timeout",
        "reserved_concurrency",
        "concurrency",
        "other_traffic",
    ),
)

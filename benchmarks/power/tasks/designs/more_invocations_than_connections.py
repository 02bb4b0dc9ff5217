"""The database bears five connections, and nothing keeps the pollers from starting more invocations.

By argument: six connections take six messages. A delay of 900 s cures it by accident, and is not counted as
relevant.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", visibility_timeout=60)],
    [Function("worker", timeout=10)],
    [EventSourceMapping("orders", "worker", batch_size=1)],
)

TASK = Task(
    name="more-invocations-than-connections",
    kind="design mistake",
    why="The database bears five connections, and nothing keeps the pollers from starting more invocations.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="downstream-concurrency-up-to-5",
    smallest=Scenario(_DESIGN, [Burst("orders", 6)]),
    relevant=(
        "batch_size",
        "reserved_concurrency",
        "maximum_concurrency",
        "concurrency",
        "other_traffic",
    ),
)

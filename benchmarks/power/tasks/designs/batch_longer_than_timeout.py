"""Each message takes a second, a batch has ten, and the function timeout is 5 seconds.

By argument: four messages take 4.05 s, five 5.05 s. With many deliveries some batch is small enough.
"""

from __future__ import annotations

from benchmarks.power.promises import nothing_dead_lettered
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", visibility_timeout=30, redrive=Redrive("orders-dlq", 3)), Queue("orders-dlq")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", batch_size=10, maximum_batching_window=5)],
)

TASK = Task(
    name="batch-longer-than-timeout",
    kind="design mistake",
    why="Each message takes a second, a batch has ten, and the function timeout is 5 seconds.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant=nothing_dead_lettered.name,
    behaviours={"worker": Behaviour(seconds_per_message=1)},
    smallest=Scenario(_DESIGN, [Burst("orders", 5)], {"worker": Behaviour(seconds_per_message=1)}),
    relevant=(
        "batch_size",
        "max_receive_count",
        "timeout",
    ),
)

"""Other functions take nearly all that the account has, and this one reserves nothing.

By enumeration. Delay and batching window are not counted as relevant: with a window of 10 s and more messages are
dead-lettered although they were processed, and a delay over 300 s helps only because the load then meets fewer pollers,
as one that came later by itself would.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", visibility_timeout=30, redrive=Redrive("orders-dlq", 2)), Queue("orders-dlq")],
    [Function("worker", timeout=30)],
    [EventSourceMapping("orders", "worker")],
    account=Account(concurrency=1000, other_traffic=998),
)

TASK = Task(
    name="account-without-room",
    kind="design mistake",
    why="Other functions take nearly all that the account has, and this one reserves nothing.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="no-dead-lettering-by-throttling",
    smallest=Scenario(_DESIGN, [Burst("orders", 5, over=1)], {"worker": Behaviour(seconds_per_batch=20)}),
    relevant=(
        "visibility_timeout",
        "max_receive_count",
        "reserved_concurrency",
        "maximum_concurrency",
        "concurrency",
        "other_traffic",
    ),
)

"""Two functions without a reservation share what little the account has left.

By enumeration, and by argument: three executions are left, and they take three messages.
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", redrive=Redrive("orders-dlq", 1)), Queue("orders-dlq"), Queue("mails")],
    [Function("worker", timeout=30), Function("mailer", timeout=30)],
    [EventSourceMapping("orders", "worker", batch_size=1), EventSourceMapping("mails", "mailer", batch_size=1)],
    account=Account(concurrency=1000, other_traffic=997),
)

TASK = Task(
    name="functions-share-the-account",
    kind="design mistake",
    why="Two functions without a reservation share what little the account has left.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="no-dead-lettering-by-throttling",
    smallest=Scenario(_DESIGN, [Burst("orders", 4)], {"worker": Behaviour(seconds_per_batch=29)}),
    relevant=(
        "visibility_timeout",
        "max_receive_count",
        "reserved_concurrency",
        "maximum_concurrency",
        "batch_size",
        "concurrency",
        "other_traffic",
    ),
)

"""The function reports the failed message of a FIFO group and goes on with those after it.

By argument: an order takes two messages, and the first must fail while the second succeeds. With one delivery the
failed message leaves the order (DLQ-14).
"""

from __future__ import annotations

from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders.fifo", redrive=Redrive("orders-dlq.fifo", 3)), Queue("orders-dlq.fifo")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders.fifo", "worker", batch_size=10, report_batch_item_failures=True)],
)

TASK = Task(
    name="fifo-partial-answer",
    kind="design mistake",
    why="The function reports the failed message of a FIFO group and goes on with those after it.",
    design=_DESIGN,
    mapping="orders.fifo→worker",
    invariant="fifo-order",
    smallest=Scenario(_DESIGN, [Burst("orders.fifo", 2, groups=1)], {"worker": Behaviour(poison=(0,))}),
    relevant=(
        "batch_size",
        "max_receive_count",
    ),
)

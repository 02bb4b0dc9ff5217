"""FL-2: a message that matches no filter is left to its visibility timeout, not deleted."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.poller_fleet import Poller
from chaosqs.esm.receive_loop import ReceiveLoop
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.event_filter import Match, matches
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.sqs.machines.message import Receipt, body_of

# pyright: reportPrivateUsage=false


def _filtered(self: ReceiveLoop, _poller: Poller, receipts: Sequence[Receipt], _index: int) -> list[Receipt]:
    return [receipt for receipt in receipts if matches(self._patterns, body_of(receipt.message)) is Match.MATCHED]


_DESIGN = Design(
    [Queue("orders")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", filters=('{"body": {"message": [{"numeric": [">", 3]}]}}',))],
)

TASK = Task(
    name="filtered-not-deleted",
    kind="mutant",
    why="A message that matches no filter is left to its visibility timeout, not deleted.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="drains-after-healing",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)]),
    switch=Mutation(ReceiveLoop, "_filtered", _filtered),
)

"""LC-2: functions without a reservation get what the account's other traffic uses, too."""

from __future__ import annotations

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.lambda_.machines.concurrency import Executions, _Pool, _Share
from chaosqs.lambda_.machines.invocation_rate import Rate
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

# pyright: reportPrivateUsage=false

_share = Executions._share


def _with_all(self: Executions, function: Function, unreserved: _Pool, shared_growth: Rate | None) -> _Share:
    unreserved.size = self.design.account.concurrency
    return _share(self, function, unreserved, shared_growth)


_DESIGN = Design(
    [Queue("orders", visibility_timeout=30)],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker")],
    account=Account(concurrency=10, other_traffic=8),
)

TASK = Task(
    name="other-traffic-ignored",
    kind="mutant",
    why="Functions without a reservation get what the account's other traffic uses, too.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="concurrency-within-its-limits",
    smallest=Scenario(_DESIGN, [Burst("orders", 3, over=1)], {"worker": Behaviour(seconds_per_batch=1)}),
    switch=Mutation(Executions, "_share", _with_all),
)

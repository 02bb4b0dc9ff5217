"""EF-2, LX-9: a batch whose invocation timed out is deleted."""

from __future__ import annotations

from functools import partial

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm.mapping import Mapping
from chaosqs.esm.poller_fleet import Poller
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.event import InvocationEnded
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

# pyright: reportPrivateUsage=false

_answered = Mapping._answered


def _as_success(self: Mapping, poller: Poller, event: InvocationEnded, index: int) -> None:
    if event.outcome == "timed_out":
        step = partial(self.deleting.delete, poller, (), index)
        self.context.event_queue.at(self.context.now + self.latency.delete(poller), step, poller.task)
    else:
        _answered(self, poller, event, index)


_DESIGN = Design(
    [Queue("orders")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="timeout-deletes",
    kind="mutant",
    why="A batch whose invocation timed out is deleted.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="at-least-once-delivery",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)], {"worker": Behaviour(seconds_per_batch=5)}),
    switch=Mutation(Mapping, "_answered", _as_success),
)

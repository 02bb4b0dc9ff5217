"""A message gets one delivery, and a receive whose answer is lost uses it up.

By argument: a function that succeeds needs a fault from outside, and one is enough. Many kinds do; `throttled` is
the first of the catalogue.
"""

from __future__ import annotations

from benchmarks.power.promises import dead_lettered_only_after_failures
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_DESIGN = Design(
    [Queue("orders", redrive=Redrive("orders-dlq", 1)), Queue("orders-dlq")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker")],
)

TASK = Task(
    name="one-delivery-lost",
    kind="design mistake",
    why="A message gets one delivery, and a receive whose answer is lost uses it up.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant=dead_lettered_only_after_failures.name,
    behaviours={"worker": Behaviour()},
    smallest=Scenario(_DESIGN, [Burst("orders", 1)], {"worker": Behaviour()}, FaultPlan(messages=[["throttled"]])),
    relevant=("max_receive_count",),
)

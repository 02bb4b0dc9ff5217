"""FL-2: a filter lets every message pass."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task
from chaosqs.esm import receive_loop
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.event_filter import Match, Pattern
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst


def _matches(_patterns: Sequence[Pattern], _body: str) -> Match:
    return Match.MATCHED


_DESIGN = Design(
    [Queue("orders")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", filters=('{"body": {"message": [{"numeric": [">", 3]}]}}',))],
)

TASK = Task(
    name="filter-matches-everything",
    kind="mutant",
    why="A filter lets every message pass.",
    design=_DESIGN,
    mapping="orders→worker",
    invariant="filtered-never-delivered",
    smallest=Scenario(_DESIGN, [Burst("orders", 1)]),
    switch=Mutation(receive_loop, "matches", _matches),
)

"""Expects a count to be the same 10 ms later, while others count.

The pause is the shortest of all, and of these the first, by an enumeration of every step of every task.
"""

from __future__ import annotations

from benchmarks.power.promises import no_handler_raises
from benchmarks.power.schedules import RACE
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.faults import FaultPlan, Pause
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_REAL = {"worker": Behaviour(handler="benchmarks.power.racers:repeatable_read")}

TASK = Task(
    name="repeatable-read",
    kind="schedule bug",
    why="Expects a count to be the same 10 ms later, while others count.",
    design=RACE,
    mapping="orders→worker",
    invariant=no_handler_raises.name,
    behaviours=_REAL,
    start=Scenario(RACE, [Burst("orders", 3, over=0.6)], _REAL, until=60),
    smallest=Scenario(
        RACE, [Burst("orders", 3, over=0.6)], _REAL, FaultPlan(pauses=[Pause("worker#3", 1, 1)]), until=60
    ),
)

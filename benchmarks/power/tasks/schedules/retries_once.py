"""Survives one conflict, and gives up at the second.

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

_REAL = {"worker": Behaviour(handler="benchmarks.power.racers:retries_once")}

TASK = Task(
    name="retries-once",
    kind="schedule bug",
    why="Survives one conflict, and gives up at the second.",
    design=RACE,
    mapping="orders→worker",
    invariant=no_handler_raises.name,
    behaviours=_REAL,
    start=Scenario(RACE, [Burst("orders", 6, over=1.2)], _REAL, until=60),
    smallest=Scenario(
        RACE, [Burst("orders", 6, over=1.2)], _REAL, FaultPlan(pauses=[Pause("worker#2", 2, 3)]), until=60
    ),
)

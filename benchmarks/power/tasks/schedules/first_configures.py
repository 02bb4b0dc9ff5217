"""All rely on what the first one to begin has written when its first wait is over.

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

_REAL = {"worker": Behaviour(handler="tests.quality.racers:first_configures")}

TASK = Task(
    name="first-configures",
    kind="schedule bug",
    why="All rely on what the first one to begin has written when its first wait is over.",
    design=RACE,
    mapping="orders→worker",
    invariant=no_handler_raises.name,
    behaviours=_REAL,
    start=Scenario(RACE, [Burst("orders", 2)], _REAL, until=60),
    smallest=Scenario(RACE, [Burst("orders", 2)], _REAL, FaultPlan(pauses=[Pause("worker#1", 2, 1)]), until=60),
)

"""Two slots for all: the second one after it takes the first one's slot.

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

_REAL = {"worker": Behaviour(handler="tests.quality.racers:ring_of_two")}

TASK = Task(
    name="ring-of-two",
    kind="schedule bug",
    why="Two slots for all: the second one after it takes the first one's slot.",
    design=RACE,
    mapping="orders→worker",
    invariant=no_handler_raises.name,
    behaviours=_REAL,
    start=Scenario(RACE, [Burst("orders", 12, over=2.4)], _REAL, until=60),
    smallest=Scenario(
        RACE, [Burst("orders", 12, over=2.4)], _REAL, FaultPlan(pauses=[Pause("worker#3", 2, 10)]), until=60
    ),
)

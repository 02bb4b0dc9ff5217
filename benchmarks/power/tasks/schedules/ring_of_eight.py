"""Eight slots for all: the eighth one after it takes the first one's slot.

No single pause of up to 150 steps of others shows it: a pause ends before that. The smallest plan is not known.
"""

from __future__ import annotations

from benchmarks.power.promises import no_handler_raises
from benchmarks.power.schedules import RACE
from benchmarks.power.task import Task
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_REAL = {"worker": Behaviour(handler="benchmarks.power.racers:ring_of_eight")}

TASK = Task(
    name="ring-of-eight",
    kind="schedule bug",
    why="Eight slots for all: the eighth one after it takes the first one's slot.",
    design=RACE,
    mapping="orders→worker",
    invariant=no_handler_raises.name,
    behaviours=_REAL,
    start=Scenario(RACE, [Burst("orders", 12, over=2.4)], _REAL, until=60),
)

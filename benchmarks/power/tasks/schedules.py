"""Handlers that are correct in first-in first-out order, and wrong if one invocation has to wait.

The pause in a row is the first of the shortest pauses that show the bug, by enumeration of every step of every task.
"""

from __future__ import annotations

from benchmarks.power.own_invariants import no_handler_raises
from benchmarks.power.task import Task, pipeline
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import EventSourceMapping, Queue
from chaosqs.model.faults import FaultPlan, Pause
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst

_RACE = pipeline(Queue("orders", visibility_timeout=30), mapping=EventSourceMapping("orders", "worker", batch_size=1))


def race(name: str, why: str, handler: str, load: Burst, pause: Pause | None) -> Task:
    """Return the task for a handler with a schedule bug; without a pause the smallest plan is not known."""
    behaviours = {"worker": Behaviour(handler=handler)}
    plan = FaultPlan(pauses=[pause]) if pause else None
    return Task(
        name=name,
        kind="schedule bug",
        why=why,
        design=_RACE,
        invariant=no_handler_raises.name,
        behaviours=behaviours,
        start=Scenario(_RACE, [load], behaviours, until=60),
        smallest=Scenario(_RACE, [load], behaviours, plan, until=60) if plan else None,
    )


TASKS = (
    race(
        "check-then-act",
        "Reads, works for 50 ms and writes: another one that writes meanwhile is lost.",
        "tests.quality.racers:check_then_act",
        Burst("orders", 2, over=2),
        Pause("orders→worker/1", 2, 2),
    ),
    race(
        "first-configures",
        "All rely on what the first one to begin has written when its first wait is over.",
        "tests.quality.racers:first_configures",
        Burst("orders", 2),
        Pause("worker#1", 2, 1),
    ),
    race(
        "repeatable-read",
        "Expects a count to be the same 10 ms later, while others count.",
        "benchmarks.power.racers:repeatable_read",
        Burst("orders", 3, over=0.6),
        Pause("worker#3", 1, 1),
    ),
    race(
        "retries-once",
        "Survives one conflict, and gives up at the second.",
        "benchmarks.power.racers:retries_once",
        Burst("orders", 6, over=1.2),
        Pause("worker#2", 2, 3),
    ),
    race(
        "ring-of-eight",
        "Eight slots for all: the eighth one after it takes the first one's slot.",
        "benchmarks.power.racers:ring_of_eight",
        Burst("orders", 12, over=2.4),
        None,  # no single pause of up to 150 steps of other tasks shows it
    ),
    race(
        "ring-of-four",
        "Four slots for all: the fourth one after it takes the first one's slot.",
        "tests.quality.racers:ring_of_four",
        Burst("orders", 12, over=2.4),
        Pause("worker#1", 2, 30),
    ),
    race(
        "ring-of-two",
        "Two slots for all: the second one after it takes the first one's slot.",
        "tests.quality.racers:ring_of_two",
        Burst("orders", 12, over=2.4),
        Pause("worker#3", 2, 10),
    ),
    race(
        "stale-write",
        "Writes the number that it took before its work, though a later one may have been written.",
        "benchmarks.power.racers:stale_write",
        Burst("orders", 3, over=0.6),
        Pause("worker#3", 2, 2),
    ),
)

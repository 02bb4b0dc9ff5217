"""Who waits for whom: a run takes its steps first-in first-out, except that a policy holds some tasks back.

A scenario says so with pauses (`FaultPlan.pauses`). The other policies serve the search only: what they find is told as
pauses, which shrink. Chance is a hash of the policy's seed, the task and its step, so that one
hold more or less leaves all others as they were; seed 0 holds nothing.
"""

from math import inf
from typing import Protocol

import attrs

from chaosqs.kernel.context import RandomStreams, stream
from chaosqs.kernel.event_queue import HoldingEventQueue
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.time import milliseconds

AS_LONG_AS_ALLOWED = 1 << 30
"""Steps that no run has: a hold that only time ends."""
PRIORITIES = (0, 0, 0, 1, 3, 10, 30)
"""Steps of others for which `Pct` may hold a new task back."""
_HELD, _LENGTH, _POINT, _PRIORITY = (
    stream("held"),
    stream("length of a hold"),
    stream("change point"),
    stream("priority"),
)


class Policy(Protocol):
    """A source of holds."""

    def hold(self, task: str, step: int, taken: int) -> int:
        """Return how many steps of others go before a task's step, 0: none.

        `step`: the number of the step among those of its task, `taken`: among those of all tasks, both from 1.
        """
        ...


@attrs.frozen
class Pauses:
    """The holds of a fault plan; the first of two pauses of one step counts."""

    plan: FaultPlan
    _steps: dict[tuple[str, int], int] = attrs.field(factory=dict[tuple[str, int], int], eq=False, repr=False)
    """By task and step."""

    def __attrs_post_init__(self) -> None:
        """Look the pauses up."""
        self._steps.update({(pause.task, pause.step): pause.steps for pause in reversed(self.plan.pauses)})

    def hold(self, task: str, step: int, taken: int) -> int:  # noqa: ARG002 - a plan counts by task
        """Return what the plan says about a step."""
        return self._steps.get((task, step), 0)


@attrs.frozen
class RandomWalk:
    """Holds some steps for a while."""

    seed: int
    share: int = 10
    """Percentage of the steps that are held, from 0 to 100."""
    longest: int = 10
    """Most steps that one is held for, 1 or more; each length up to that is as likely."""

    def hold(self, task: str, step: int, taken: int) -> int:  # noqa: ARG002 - one hold more moves no other
        """Draw whether a step is held, and for how long."""
        chance, name = RandomStreams(self.seed), stream(task)
        if self.seed == 0 or chance.fraction(_HELD, name, step) * 100 >= self.share:
            return 0
        return 1 + int(chance.fraction(_LENGTH, name, step) * self.longest)


@attrs.frozen
class Pct:
    """Probabilistic concurrency testing: finds a bug that takes `depth` orderings, with a probability that has a floor.

    New tasks get priorities: some begin only after so many steps of others. At `depth - 1` points of the run whoever's
    turn it is waits for as long as allowed. (Burckhardt et al., "A randomized scheduler with probabilistic guarantees
    of finding bugs", ASPLOS 2010.)
    """

    seed: int
    depth: int = 2
    """1: priorities only."""
    length: int = 0
    """Steps of tasks in a run, from which the points are drawn; 0: not known yet."""

    def hold(self, task: str, step: int, taken: int) -> int:
        """Hold a task at a point of change, and a new one for its priority."""
        if self.seed == 0:
            return 0
        chance = RandomStreams(self.seed)
        points = (1 + int(chance.fraction(_POINT, number) * self.length) for number in range(1, self.depth))
        if taken in points:
            return AS_LONG_AS_ALLOWED
        drawn = chance.fraction(_PRIORITY, stream(task)) if step == 1 else 0
        return PRIORITIES[int(drawn * len(PRIORITIES))]


def holding_event_queue(scenario: Scenario, policy: Policy | None) -> HoldingEventQueue:
    """Return the event queue of a run in which the scenario's pauses or a policy hold tasks back."""
    plan = scenario.faults
    planned = Pauses(plan)

    def hold(task: str, step: int, taken: int) -> int:
        return planned.hold(task, step, taken) or (0 if policy is None else policy.hold(task, step, taken))

    heals = inf if plan.heal_at is None else milliseconds(plan.heal_at)
    return HoldingEventQueue(seed=scenario.seed, hold=hold, longest=scenario.assumptions.longest_pause, heals=heals)

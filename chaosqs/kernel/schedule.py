"""Scheduling policies: a run takes its steps first-in first-out, except for the tasks that a policy holds back.

A scenario holds tasks back with pauses (`FaultPlan.pauses`). The other policies are for the search only, which writes
its findings as pauses, and these shrink. A policy's random numbers are a hash of its seed, the task and the step, so
one hold more or less does not change the others. Seed 0 holds nothing.
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
"""More steps than any run has: such a hold ends by time only."""
PRIORITIES = (0, 0, 0, 1, 3, 10, 30)
"""Numbers of other steps that `Pct` may let go before a new task's first step."""
_HELD, _LENGTH, _POINT, _PRIORITY = (
    stream("held"),
    stream("length of a hold"),
    stream("change point"),
    stream("priority"),
)


class Policy(Protocol):
    """A source of holds."""

    def hold(self, task: str, step: int, taken: int) -> int:
        """Return the number of other steps that go before a task's step; 0: none.

        `step` is the number of the step among those of its task, `taken` among those of all tasks, both from 1.
        """
        ...


@attrs.frozen
class Pauses:
    """The holds of a fault plan. Of two pauses of one step the first counts."""

    plan: FaultPlan
    _steps: dict[tuple[str, int], int] = attrs.field(factory=dict[tuple[str, int], int], eq=False, repr=False)
    """Length of each pause, by task and step."""

    def __attrs_post_init__(self) -> None:
        """Index the pauses by task and step."""
        self._steps.update({(pause.task, pause.step): pause.steps for pause in reversed(self.plan.pauses)})

    def hold(self, task: str, step: int, taken: int) -> int:  # noqa: ARG002 - a plan counts by task
        """Return the length of the plan's pause for a step; 0: none."""
        return self._steps.get((task, step), 0)


@attrs.frozen
class RandomWalk:
    """Holds a random share of the steps for a random number of other steps."""

    seed: int
    share: int = 10
    """Percentage of the steps that are held, from 0 to 100."""
    longest: int = 10
    """Maximum length of a hold in steps, 1 or more. All lengths up to it are equally likely."""

    def hold(self, task: str, step: int, taken: int) -> int:  # noqa: ARG002 - one hold more moves no other
        """Draw the length of a step's hold; 0: none."""
        chance, name = RandomStreams(self.seed), stream(task)
        if self.seed == 0 or chance.fraction(_HELD, name, step) * 100 >= self.share:
            return 0
        return 1 + int(chance.fraction(_LENGTH, name, step) * self.longest)


@attrs.frozen
class Pct:
    """Probabilistic concurrency testing: finds a bug that takes `depth` orderings, with a probability that has a floor.

    New tasks get priorities: some begin only after a number of other steps. At `depth - 1` points of the run the task
    whose turn it is waits as long as allowed. (Burckhardt et al., "A randomized scheduler with probabilistic guarantees
    of finding bugs", ASPLOS 2010.)
    """

    seed: int
    depth: int = 2
    """1: priorities only."""
    length: int = 0
    """Number of task steps in a run, from which the points of change are drawn; 0: not known yet."""

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

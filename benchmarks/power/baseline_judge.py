"""What the baselines share: the vocabulary of their scenarios, and who judges and counts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from benchmarks.power.task import Task
from chaosqs.errors import SimulationError
from chaosqs.invariants import by_name
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.faults import KINDS, OK, FaultPlan
from chaosqs.model.liveness import liveness_deadline
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.model.workload import Burst
from chaosqs.search.oracle import attributed
from chaosqs.simulation import run
from chaosqs.strategies.grid import durations, longest_timeout, spans


class Violated(Exception):
    """What a test raises: the invariant does not hold."""


@attrs.define
class Court:
    """Judges scenarios of a task, counts the cases, and keeps the last one that violated the invariant."""

    task: Task
    cases: int = 0
    first: int | None = None
    """The case that violated it first."""
    last: Scenario | None = None

    def judge(self, scenario: Scenario, told: Callable[[], FaultPlan] | None = None) -> None:
        """Simulate and judge a case; `told`: the plan of what happened, if the scenario has none. Raises Violated."""
        self.cases += 1
        try:
            history = run.simulate(scenario)
        except SimulationError:
            return
        verdict = attributed(by_name(self.task.invariant).judge(history), self.queue)
        if verdict.status is Status.VIOLATED:
            self.first = self.cases if self.first is None else self.first
            self.last = attrs.evolve(scenario, faults=told()) if told else scenario
            raise Violated

    @property
    def queue(self) -> str:
        return self.task.mapping.partition("→")[0]

    @property
    def function(self) -> str:
        return self.task.mapping.partition("→")[2]


@attrs.frozen
class Vocabulary:
    """The values that a task's scenarios are made of, the simplest first."""

    court: Court

    @property
    def spans(self) -> tuple[float, ...]:
        design, queue = self.court.task.design, self.court.queue
        return spans(design.queue(queue), longest_timeout(design, queue))

    @property
    def durations(self) -> tuple[float, ...]:
        timeout = self.court.task.design.function(self.court.function).timeout
        return durations(timeout)

    @property
    def poisons(self) -> tuple[tuple[int, ...], ...]:
        return (), (0,), (1,)

    @property
    def kinds(self) -> tuple[str, ...]:
        fifo = self.court.task.design.queue(self.court.queue).fifo
        possible = [kind for kind in KINDS if kind.keyed and not (fifo and kind.standard_only)]
        return OK, *(kind.name for kind in possible if kind.injection_point not in {"send", "point"})

    def scenario(
        self, loads: Sequence[tuple[int, float, float]], seconds: float, poison: tuple[int, ...], plan: FaultPlan
    ) -> Scenario:
        """Put a scenario together of loads (count, over, at) and of how the function behaves."""
        task = self.court.task
        groups = 1 if task.design.queue(self.court.queue).fifo else 0
        workload = tuple(Burst(self.court.queue, count, at, over, groups=groups) for count, over, at in loads)
        behaviour = Behaviour(seconds_per_batch=seconds, poison=poison)
        drawn = {} if behaviour == Behaviour() else {self.court.function: behaviour}
        behaviours = task.behaviours or drawn
        until = liveness_deadline(task.design, workload, behaviours, plan)
        return Scenario(task.design, workload, behaviours, plan, until=until)

"""Trials of schedule bugs: one scenario under the portfolio of policies, and the pauses that tell what a policy did."""

from __future__ import annotations

import attrs

from benchmarks.power.task import Task
from benchmarks.power.trial import Stopwatch, Trial, told
from chaosqs.invariants import Invariant, by_name
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.search.profiles import CI
from chaosqs.search.schedules import lifted, minimal, policies, scheduled
from chaosqs.simulation.run import isolated

RACE = Design(
    [Queue("orders", visibility_timeout=30)],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker", batch_size=1)],
)
"""What the handlers with schedule bugs run in."""


@attrs.define
class Referee:
    """Judges runs of one scenario, and counts them."""

    invariant: Invariant
    calls: int = 0

    def violated(self, scenario: Scenario) -> bool:
        """Tell whether a scenario violates the invariant."""
        self.calls += 1
        return self.invariant.judge(isolated(scenario)).status is Status.VIOLATED


def schedule_trial(task: Task, seed: int) -> Trial:
    """Try the policies of a seed, as many as a search of the `ci` profile has cases, and shrink what is found."""
    assert task.start is not None, f"{task.name} has no scenario to start from"
    search, shrinking, referee = Stopwatch(), Stopwatch(), Referee(by_name(task.invariant))
    with search.running():
        case, found = _first(task.start, seed, referee.invariant)
    if found is None:
        return told(seed, case, search)
    with shrinking.running():
        smallest = minimal(found, referee.violated, CI.shrink_simulations)
    return told(seed, case, search, smallest, calls=referee.calls, shrinking=shrinking)


def _first(start: Scenario, seed: int, invariant: Invariant) -> tuple[int, Scenario | None]:
    """Return how many policies were tried, and the scenario whose pauses do what the last one did; None without."""
    tried = policies(seed, CI.max_examples)
    for case, policy in enumerate(tried, start=1):
        if invariant.judge(scheduled(start, policy)).status is Status.VIOLATED:
            return case, lifted(start, policy)
    return len(tried), None

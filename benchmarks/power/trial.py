"""One trial: one task, one seed; search, shrink, and take note of what each came to and what it took."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import contextmanager
from math import inf

import attrs

from benchmarks.power.figures import Figures
from benchmarks.power.task import Task
from chaosqs.invariants import Invariant, by_name
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Verdict
from chaosqs.search.profiles import CI, Profile
from chaosqs.search.search import Searched, searched


@attrs.define
class Stopwatch:
    """Seconds that something took: on the wall, and of this process's own."""

    wall: float = 0
    cpu: float = 0

    @contextmanager
    def running(self) -> Generator[None]:
        """Add what happens meanwhile."""
        wall, cpu = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.wall += time.perf_counter() - wall
            self.cpu += time.process_time() - cpu


class OutOfTime(KeyboardInterrupt):
    """The search has taken as long as it may. Hypothesis takes any other exception for a failure of the test."""


class Clock:
    """An invariant that raises OutOfTime when it is asked too late, until the clock is stopped.

    It counts seconds of this process's own: others may use the machine.
    """

    def __init__(self, invariant: Invariant, seconds: float = 60) -> None:
        self._judge, self._end = invariant.judge, time.process_time() + seconds
        self.invariant = attrs.evolve(invariant, judge=self._judged)

    def _judged(self, history: History) -> Verdict:
        if time.process_time() > self._end:
            raise OutOfTime
        return self._judge(history)

    def stop(self) -> None:
        """Let it take as long as it likes from now on: shrinking is measured, and not limited."""
        self._end = inf


@attrs.frozen
class Trial:
    """What one seed came to, and the normal form; None where nothing was found."""

    figures: Figures
    scenario: Scenario | None = None


def told(
    seed: int,
    cases: int,
    search: Stopwatch,
    scenario: Scenario | None = None,
    *,
    calls: int = 0,
    shrinking: Stopwatch | None = None,
) -> Trial:
    """Put a trial together; without a scenario nothing was found."""
    shrunk = shrinking or Stopwatch()
    figures = Figures(
        seed=seed,
        found=scenario is not None,
        cases=cases,
        seconds=round(search.wall, 4),
        cpu_seconds=round(search.cpu, 4),
        shrink_calls=calls,
        shrink_seconds=round(shrunk.wall, 4),
        shrink_cpu_seconds=round(shrunk.cpu, 4),
    )
    return Trial(figures, scenario)


def trial(task: Task, seed: int, profile: Profile = CI) -> Trial:
    """Search for a task's defect from a seed, with the defect on, and shrink what is found."""
    search, shrinking = Stopwatch(), Stopwatch()
    clock = Clock(by_name(task.invariant))
    invariant = clock.invariant
    with task.switch():
        try:
            with search.running():
                found = searched(
                    task.design, task.mapping, (invariant,), behaviours=task.behaviours, profile=profile, seed=seed
                )
        except OutOfTime:
            return told(seed, 0, search)
        clock.stop()
        cases, before = _cases(found), _simulations(found)
        with shrinking.running():
            scenario = found.finding(invariant).scenario
    calls = _simulations(found) - before
    if scenario is None:
        return told(seed, cases, search)
    return told(seed, cases, search, scenario, calls=calls, shrinking=shrinking)


def _cases(found: Searched) -> int:
    return 0 if found.search_run is None else found.search_run.trials[0].tally.cases


def _simulations(found: Searched) -> int:
    """Count the simulations up to now; those of the search run and those of the shrinker."""
    return 0 if found.search_run is None else found.search_run.cases + found.search_run.trials[0].oracle.simulations

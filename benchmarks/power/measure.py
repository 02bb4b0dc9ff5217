"""Measures one task over all seeds: one row of the table.

For each seed, the task is searched, and the violation is shrunk; results and times of both are measured. For a schedule
bug, one scenario is run under the portfolio of policies; the result are pauses that do what a policy did.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from math import inf

import attrs

from benchmarks.power.arithmetic import f1, median
from benchmarks.power.figures import LIMITS, Row
from benchmarks.power.task import Task
from benchmarks.power.truth import size
from chaosqs.explain.explain import explain
from chaosqs.invariants import Invariant, by_name
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict
from chaosqs.search.profiles import CI
from chaosqs.search.schedules import lifted, minimal, policies, scheduled
from chaosqs.search.search import Searched, searched
from chaosqs.simulation.run import simulate

_EXPLAINING = attrs.evolve(CI, trials=20)
"""Only settings are measured, so claims get few trials."""


def measured(task: Task, seeds: Sequence[int]) -> Row:
    """Measure a task. An exception of the search ends it and is recorded: a mutant may cause exceptions."""
    empty = Row(name=task.name, invariant=task.invariant if task.kind == "green" else "")
    try:
        trials = [_trial(task, seed) if task.start is None else _schedule_trial(task, seed) for seed in seeds]
        finds = [each.scenario for each in trials if each.scenario is not None]
        named = _named(task, max(finds, key=finds.count)) if finds and task.relevant else None
    except Exception as error:  # noqa: BLE001 - the table shows any exception
        return attrs.evolve(empty, error=f"{type(error).__name__}: {error}".partition("\n")[0])
    row = _row(empty, trials, list(dict.fromkeys(finds)))
    return attrs.evolve(
        row,
        smallest=None if task.smallest is None else size(task.smallest),
        f1=None if named is None else f1(named, task.relevant),
        besides=tuple(name for name in named or () if name not in task.relevant),
        left_out=() if named is None else tuple(name for name in task.relevant if name not in named),
    )


def _row(empty: Row, trials: Sequence[Trial], forms: Sequence[Scenario]) -> Row:
    finds = [each for each in trials if each.scenario is not None]
    return attrs.evolve(
        empty,
        cases=tuple(each.cases for each in trials),
        forms=tuple(None if each.scenario is None else forms.index(each.scenario) for each in trials),
        within=tuple(sum(each.seconds <= limit for each in finds) for limit in LIMITS),
        shrink_calls=tuple(each.shrink_calls for each in finds),
        shrink_seconds=round(median([each.shrink_seconds for each in finds]), 5) if finds else None,
        sizes=tuple(map(size, forms)),
    )


def _named(task: Task, scenario: Scenario) -> tuple[str, ...]:
    """Return the fields that matter according to the explanation of a scenario."""
    mapping = next(mapping for mapping in task.design.mappings if mapping.name == task.mapping)
    with task.switch():
        history = simulate(scenario)
        explained = explain(history, mapping, by_name(task.invariant), behaviours=task.behaviours, profile=_EXPLAINING)
    return tuple(dict.fromkeys(setting.path.attribute for setting in explained.settings if setting.matters))


# One seed -----------------------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Trial:
    """The measurements of one seed."""

    cases: int
    """Cases up to the first violation, or all if none was found; 0 if time ran out before."""
    seconds: float
    scenario: Scenario | None = None
    """The normal form; None if nothing was found."""
    shrink_calls: int = 0
    """Simulations from the first violation to the normal form."""
    shrink_seconds: float = 0


@attrs.define
class Stopwatch:
    """Measures CPU seconds of this process, because other processes may use the machine."""

    seconds: float = 0

    @contextmanager
    def running(self) -> Generator[None]:
        """Add the CPU time of the block."""
        begun = time.process_time()
        try:
            yield
        finally:
            self.seconds += time.process_time() - begun


class OutOfTime(KeyboardInterrupt):
    """Raised when the search exceeds its time. Hypothesis would treat an `Exception` as a failure of the test."""


class Clock:
    """An invariant that raises OutOfTime when it judges too late, until the clock is stopped."""

    def __init__(self, invariant: Invariant, seconds: float = LIMITS[-1]) -> None:
        self._judge, self._end = invariant.judge, time.process_time() + seconds
        self.invariant = attrs.evolve(invariant, judge=self._judged)

    def _judged(self, history: History) -> Verdict:
        if time.process_time() > self._end:
            raise OutOfTime
        return self._judge(history)

    def stop(self) -> None:
        """Remove the limit: shrinking is measured, but not limited."""
        self._end = inf


def _trial(task: Task, seed: int) -> Trial:
    """Search for a task's defect from a seed, with the defect on, and shrink the violation."""
    search, shrinking = Stopwatch(), Stopwatch()
    clock = Clock(by_name(task.invariant))
    invariant = clock.invariant
    with task.switch():
        try:
            with search.running():
                found = searched(
                    task.design, task.mapping, (invariant,), behaviours=task.behaviours, profile=CI, seed=seed
                )
        except OutOfTime:
            return Trial(cases=0, seconds=search.seconds)
        clock.stop()
        before = _simulations(found)
        with shrinking.running():
            scenario = found.finding(invariant).scenario
    return Trial(
        cases=0 if found.search_run is None else found.search_run.searches[0].tally.cases,
        seconds=search.seconds,
        scenario=scenario,
        shrink_calls=_simulations(found) - before,
        shrink_seconds=shrinking.seconds,
    )


def _simulations(found: Searched) -> int:
    """Count the simulations so far, of the search and of the shrinker."""
    return 0 if found.search_run is None else found.search_run.cases + found.search_run.searches[0].oracle.simulations


@attrs.define
class Referee:
    """Judges runs of one scenario, and counts them."""

    invariant: Invariant
    calls: int = 0

    def violated(self, scenario: Scenario) -> bool:
        """Return True if a scenario violates the invariant."""
        self.calls += 1
        return self.invariant.judge(simulate(scenario)).status is Status.VIOLATED


def _schedule_trial(task: Task, seed: int) -> Trial:
    """Try the policies of a seed, as many as a search of the `ci` profile has cases, and shrink the violation."""
    assert task.start is not None, f"{task.name} has no scenario to start from"
    search, shrinking, referee = Stopwatch(), Stopwatch(), Referee(by_name(task.invariant))
    with search.running():
        case, found = _first(task.start, seed, referee.invariant)
    if found is None:
        return Trial(cases=case, seconds=search.seconds)
    with shrinking.running():
        smallest = minimal(found, referee.violated, CI.shrink_simulations)
    return Trial(
        cases=case,
        seconds=search.seconds,
        scenario=smallest,
        shrink_calls=referee.calls,
        shrink_seconds=shrinking.seconds,
    )


def _first(start: Scenario, seed: int, invariant: Invariant) -> tuple[int, Scenario | None]:
    """Return the number of policies tried, and the scenario with pauses that do what the last did, or None."""
    tried = policies(seed, CI.max_examples)
    for case, policy in enumerate(tried, start=1):
        if invariant.judge(scheduled(start, policy)).status is Status.VIOLATED:
            return case, lifted(start, policy)
    return len(tried), None

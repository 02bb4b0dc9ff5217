"""One task, measured over all seeds: what a row of the table says."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from benchmarks.power.arithmetic import f1
from benchmarks.power.figures import Row
from benchmarks.power.schedules import schedule_trial
from benchmarks.power.task import Task
from benchmarks.power.trial import trial
from benchmarks.power.truth import size
from chaosqs.explain.explain import explain
from chaosqs.invariants import by_name
from chaosqs.model.scenario import Scenario
from chaosqs.search.profiles import CI
from chaosqs.simulation.run import isolated

_EXPLAINING = attrs.evolve(CI, trials=4)
"""Settings alone are measured: fixes need no trials here."""


def measured(task: Task, seeds: Sequence[int]) -> Row:
    """Measure a task. What the search raises ends it, and is noted: a mutant may make the machinery stumble."""
    empty = Row(name=task.name, kind=task.kind, invariant=task.invariant)
    try:
        trials = [trial(task, seed) if task.start is None else schedule_trial(task, seed) for seed in seeds]
        forms = [found.scenario for found in trials if found.scenario is not None]
        named = _named(task, max(forms, key=forms.count)) if forms and task.relevant else None
    except Exception as error:  # noqa: BLE001 - whatever it is, the table says so
        return attrs.evolve(empty, error=f"{type(error).__name__}: {error}".partition("\n")[0])
    distinct = list(dict.fromkeys(forms))
    return attrs.evolve(
        empty,
        trials=tuple(found.figures for found in trials),
        forms=tuple(distinct.index(form) for form in forms),
        scenarios=tuple(map(_text, distinct)),
        sizes=tuple(map(size, distinct)),
        smallest=None if task.smallest is None else size(task.smallest),
        named=named,
        relevant=task.relevant,
        f1=None if named is None else f1(named, task.relevant),
    )


def _text(scenario: Scenario) -> str:
    """Return a scenario without its design: all trials of a task share that."""
    parts = [repr(scenario.workload), repr(dict(scenario.behaviours)), repr(scenario.faults)]
    return f"{', '.join(parts)}, seed={scenario.seed}, until={scenario.until}"


def _named(task: Task, scenario: Scenario) -> tuple[str, ...]:
    """Return the fields that an explanation of a scenario names relevant."""
    mapping = next(mapping for mapping in task.design.mappings if mapping.name == task.mapping)
    with task.switch():
        history = isolated(scenario)
        explained = explain(history, mapping, by_name(task.invariant), behaviours=task.behaviours, profile=_EXPLAINING)
    return tuple(dict.fromkeys(setting.path.attribute for setting in explained.settings if setting.matters))

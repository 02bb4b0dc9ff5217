"""All tasks, in tables: a task is a row of one of the modules here."""

from __future__ import annotations

from importlib import import_module

from benchmarks.power.task import KINDS, Task

_TABLES = {
    "design mistake": ("designs",),
    "mutant": ("sqs_mutants", "esm_mutants", "lambda_mutants"),
    "schedule bug": ("schedules",),
    "harness mutant": ("harness",),
    "green": ("designs",),
}
"""The tables with the tasks of each kind. Only those that are asked for are imported: Hypothesis draws on the constants
of the modules that are."""


def tasks(*kinds: str) -> list[Task]:
    """Return all tasks of some kinds (none: of all), kind by kind and by their names."""
    return [task for kind in kinds or KINDS for task in sorted(_of(kind), key=lambda task: task.name)]


def _of(kind: str) -> list[Task]:
    tables = [_table(f"{__name__}.{table}") for table in _TABLES[kind]]
    return [task for table in tables for task in table if task.kind == kind]


def _table(module: str) -> tuple[Task, ...]:
    table: tuple[Task, ...] = vars(import_module(module))["TASKS"]
    return table

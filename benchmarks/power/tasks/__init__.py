"""All tasks; each is a row of a table in one of the modules here."""

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
"""The modules with the tasks of each kind. Only the requested ones are imported, because Hypothesis draws constants
from imported modules."""


def tasks(*kinds: str) -> list[Task]:
    """Return all tasks of some kinds (none given: of all kinds), ordered by kind and name."""
    return [task for kind in kinds or KINDS for task in sorted(_of(kind), key=lambda task: task.name)]


def _of(kind: str) -> list[Task]:
    tables = [_table(f"{__name__}.{table}") for table in _TABLES[kind]]
    return [task for table in tables for task in table if task.kind == kind]


def _table(module: str) -> tuple[Task, ...]:
    table: tuple[Task, ...] = vars(import_module(module))["TASKS"]
    return table

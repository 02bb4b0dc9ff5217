"""All tasks, found by listing the directories: a new file is a new task."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from benchmarks.power.task import KINDS, Task

_TASKS = Path(__file__).parent / "tasks"
FOLDERS = {
    "design mistake": "designs",
    "mutant": "mutants",
    "schedule bug": "schedules",
    "harness mutant": "harness",
    "green": "green",
}
"""Where the tasks of each kind are."""


def tasks(*kinds: str) -> list[Task]:
    """Return all tasks of some kinds (none: of all), kind by kind and by the names of their files."""
    return [task for kind in kinds or KINDS for task in _in(_TASKS / FOLDERS[kind])]


def _in(folder: Path) -> list[Task]:
    paths = sorted(path for path in folder.glob("*.py") if not path.stem.startswith("_"))
    return [task for path in paths if (task := _task(f"benchmarks.power.tasks.{folder.name}.{path.stem}")) is not None]


def _task(module: str) -> Task | None:
    """Return what a file exports; None for a file that helps others."""
    found: object = vars(import_module(module)).get("TASK")
    return found if isinstance(found, Task) else None

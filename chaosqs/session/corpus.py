"""Counterexamples that are kept: a folder of them, each run again on the project's design as it is now."""

from __future__ import annotations

from pathlib import Path

from chaosqs.errors import InvalidInput
from chaosqs.session.settings import read_settings
from chaosqs.session.wording import relative_to

FOLDER = "corpus"
"""The folder among a project's reports that `pytest --chaosqs` runs first; in its subfolders, too."""


def corpus_of(root: Path) -> Path:
    """Return where a project keeps its counterexamples, there or not: wherever the reports of one run may go."""
    return root / read_settings(root).report_dir / FOLDER


def kept_in(folder: Path) -> list[Path]:
    """Return the files of a folder that should be counterexamples, in an order that any machine repeats."""
    return sorted(folder.rglob("*.json"), key=lambda path: path.relative_to(folder).as_posix())


def files_of(path: Path, root: Path) -> list[Path]:
    """Return the counterexamples that a path stands for, a file or a folder. Raises `InvalidInput` for an empty one."""
    if not path.is_dir():
        return [path]
    found = kept_in(path)
    if not found:
        raise InvalidInput(f"{relative_to(root, path)}: has no counterexample: no file in it ends in .json")
    return found

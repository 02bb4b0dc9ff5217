"""A report as a folder of the user's project: `report.md` for people, `scenario.json` for replays, `fix.patch`.

The folder appears whole or not at all, and each file in it is replaced at once: several processes may write the same.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from chaosqs.errors import InvalidInput
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.history import History
from chaosqs.model.json import to_json
from chaosqs.report.markdown import markdown
from chaosqs.report.slug import design_slug, slug
from chaosqs.report.text import shown

REPORT = "report.md"
SCENARIO = "scenario.json"
PATCH = "fix.patch"


def write_report(directory: Path, counterexample: Counterexample, history: History) -> Path:
    """Write the report into a folder of its own in `directory`, and return that folder.

    Equal input gives equal bytes. Raises `InvalidInput` where the directory cannot be written.
    """
    folder = directory / folder_name(counterexample)
    replay = _as_given(directory) / folder.name / SCENARIO
    files = {
        REPORT: markdown(counterexample, history, replay=replay.as_posix()),
        SCENARIO: to_json(counterexample),
        **({PATCH: counterexample.explanation.patch} if counterexample.explanation.patch else {}),
    }
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _put(folder, files)
    except OSError as error:
        message = (
            f"cannot write the report to {shown(str(folder), 300)}: {error.strerror or type(error).__name__}\n"
            "Name a directory that can be written: --report-dir of chaosqs, --chaosqs-report-dir of pytest,\n"
            "or report_dir in [tool.chaosqs] of pyproject.toml."
        )
        raise InvalidInput(message) from None
    return folder


def folder_name(counterexample: Counterexample) -> str:
    """Return the name of the folder: `template-orders-worker-no-dead-lettering-by-throttling`."""
    return f"{design_slug(counterexample.design)}-{slug(counterexample.mapping)}-{slug(counterexample.invariant)}"


def _as_given(directory: Path) -> Path:
    """Return a directory as a report may name it: relative; an absolute one says too much about this machine."""
    if not directory.is_absolute():
        return directory
    here = Path.cwd()
    return directory.relative_to(here) if directory.is_relative_to(here) else Path(directory.name)


def _put(folder: Path, files: dict[str, str]) -> None:
    """Write the files beside the folder, then move them to their place."""
    with tempfile.TemporaryDirectory(prefix=".chaosqs-", dir=folder.parent, ignore_cleanup_errors=True) as beside:
        whole = Path(beside) / folder.name
        whole.mkdir()
        for name, text in files.items():
            (whole / name).write_text(text, encoding="utf-8", newline="\n")
        try:
            whole.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
            for name in files:
                (whole / name).replace(folder / name)
            if PATCH not in files:  # that of an earlier report
                (folder / PATCH).unlink(missing_ok=True)

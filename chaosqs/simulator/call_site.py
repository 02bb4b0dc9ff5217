"""Where in the user's code a call comes from: for the error that says so."""

from __future__ import annotations

import inspect
import os
import sysconfig
from pathlib import Path

_OURS = str(Path(__file__).parents[1]) + os.sep
_LIBRARIES = tuple(sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib"))
_INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def call_site() -> str:
    """Return file and line of the innermost call that neither chaosqs nor a library makes: `app/handler.py:12`."""
    frame = inspect.currentframe()
    while frame is not None:
        file = frame.f_code.co_filename
        if _is_theirs(file):
            return f"{file.removeprefix(str(Path.cwd()) + os.sep)}:{frame.f_lineno}"
        frame = frame.f_back
    return "an unknown place"


def _is_theirs(file: str) -> bool:
    if file.startswith((_OURS, "<")) or any(folder in file for folder in _INSTALLED):
        return False
    return not file.startswith(_LIBRARIES)

"""The loggers that the project's code makes in one execution environment.

Python has one table of loggers a process, so a logger that each environment sets up would get one more handler from
each. Loggers named after shared modules (`botocore.client`) are shared as these are. All others are the environment's
while its code runs, and the caller's at all other times.
"""

import logging
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager

import attrs

from chaosqs.lambda_.project_modules import CodeRoot

_loggers: dict[str, logging.Logger | logging.PlaceHolder] = logging.root.manager.loggerDict
_callers: dict[CodeRoot, tuple[tuple[int, str], Sequence[str]]] = {}
"""State of the table, and the names of the caller's own loggers in it."""


@attrs.define(eq=False)
class Loggers:
    """The loggers of one environment."""

    root: CodeRoot
    _own: dict[str, logging.Logger | logging.PlaceHolder] = attrs.field(
        factory=dict[str, "logging.Logger | logging.PlaceHolder"]
    )

    @contextmanager
    def active(self) -> Generator[None]:
        """Let this environment's loggers be in the table within a `with` block."""
        hidden = {name: _loggers.pop(name) for name in self._names_of_caller()}
        _loggers.update(self._own)
        before = len(_loggers)
        try:
            yield
        finally:
            names = list(self._own) if len(_loggers) == before else self._names()
            self._own = {name: _loggers.pop(name) for name in names}
            _loggers.update(hidden)
            _callers[self.root] = _state(), list(hidden)

    def _names_of_caller(self) -> Sequence[str]:
        state, names = _callers.get(self.root, ((0, ""), ()))
        return names if state == _state() else self._names()

    def _names(self) -> list[str]:
        """Return the names of loggers in the table that no shared module has."""
        return [name for name in _loggers if not self._is_shared(name.partition(".")[0])]

    def _is_shared(self, top: str) -> bool:
        return top in sys.modules and not self.root.contains(top, sys.modules[top])


def _state() -> tuple[int, str]:
    """Return a value that changes with each new logger."""
    return len(_loggers), next(reversed(_loggers), "")

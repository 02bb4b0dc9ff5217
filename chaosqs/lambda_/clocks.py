"""The clock that a caller reads: virtual for handlers, and for a test inside `aws()`; real for all other code.

A test is all code that runs in the thread, or in a copy of the context, in which the block of `aws()` began. Tools that
run the test and libraries that wait for something real keep the real clock, so that they neither hang nor mislead:
`REAL` names them. A handler has no such exceptions, as nothing real is there to wait for.
"""

import inspect
from contextvars import ContextVar
from types import FrameType
from typing import Protocol

from chaosqs.lambda_.guards import current

REAL = frozenset({
    *("_pytest", "pluggy", "pytest", "unittest", "execnet", "xdist", "hypothesis", "coverage", "chaosqs"),
    *("asyncio", "trio", "anyio", "multiprocessing", "selectors", "subprocess", "urllib3"),
})  # fmt: skip
"""Packages that read the real clock inside a test, beside all whose name begins with `pytest_`."""


class Clocked(Protocol):
    """Code in virtual time: an invocation, or a test."""

    def sleep(self, seconds: float) -> None:
        """Suspend this code."""
        ...

    def read_clock(self) -> int:
        """Return the milliseconds of virtual time."""
        ...


_tests: ContextVar[tuple[Clocked, ...]] = ContextVar("chaosqs_tests", default=())


def enter(test: Clocked) -> None:
    """Mark the code of this context as that of a test, until `leave`."""
    _tests.set((*_tests.get(), test))


def leave(test: Clocked) -> None:
    """Undo `enter`, in whatever order the blocks end."""
    _tests.set(tuple(other for other in _tests.get() if other is not test))


def clocked() -> Clocked | None:
    """Return what the caller of a replaced function runs in, or None if the real clock applies."""
    invoked = current()
    if invoked is not None:
        return invoked
    tests = _tests.get()
    return tests[-1] if tests and not _is_real(inspect.currentframe()) else None


def _is_real(frame: FrameType | None) -> bool:
    """Return whether the first caller outside of the replacements is one of `REAL`."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        if not name.startswith("chaosqs.lambda_."):
            package = name.partition(".")[0]
            return package in REAL or package.startswith("pytest_")
        frame = frame.f_back
    return False

"""Participants in virtual time: handlers, and a test inside `aws()` with its threads. Other code runs in real time.

A test is all code that runs in the context in which the block of `aws()` began, in copies of it, and in threads that it
starts. Tools that run the test and libraries that wait for something real keep real time, so that they neither hang nor
mislead: `REAL` names them. A handler has no such exceptions, as nothing real is there to wait for.
"""

import asyncio
import inspect
from contextvars import ContextVar
from types import FrameType

from chaosqs.lambda_.guards import Participant, current

REAL = frozenset({
    *("_pytest", "pluggy", "pytest", "execnet", "xdist", "hypothesis", "coverage"),
    *("unittest.case", "unittest.async_case", "unittest.runner", "unittest.result", "chaosqs"),
    *("trio", "anyio", "multiprocessing", "selectors", "subprocess", "urllib3"),
})  # fmt: skip
"""Packages and modules in real time. So are all that begin with `pytest_`, and asyncio in a loop from outside."""
_ON_BEHALF = frozenset({"threading", "queue", "concurrent", "_threading_local", "contextlib"})
"""Packages that act for their caller."""


_open: list[Participant] = []
_tests: ContextVar[tuple[Participant, ...]] = ContextVar("chaosqs_tests", default=())


def enter(test: Participant) -> None:
    """Mark the code of this context as that of a test, until `leave`."""
    _open.append(test)
    _tests.set((*_tests.get(), test))


def leave(test: Participant) -> None:
    """Undo `enter`, in whatever order the blocks end."""
    _open.remove(test)
    _tests.set(tuple(other for other in _tests.get() if other is not test))


def in_test() -> Participant | None:
    """Return the test whose context calls, whoever calls in it; the innermost, if blocks are nested."""
    return next((test for test in reversed(_tests.get()) if test in _open), None)


def participant() -> Participant | None:
    """Return the invocation or the test that calls a replaced function, or None if it is to act in real time."""
    invoked = current()
    if invoked is not None:
        return invoked
    test = in_test()
    return None if test is None or _is_real(inspect.currentframe()) else test


def _is_real(frame: FrameType | None) -> bool:
    """Return whether the first caller outside of the replacements is one of `REAL`."""
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        package = name.partition(".")[0]
        if package == "asyncio":
            loop: object = vars(asyncio.events)["_get_running_loop"]()
            if loop is not None and not hasattr(loop, "is_virtual"):
                return True
        elif package not in _ON_BEHALF and not name.startswith("chaosqs.lambda_."):
            return package in REAL or name in REAL or package.startswith("pytest_")
        frame = frame.f_back
    return False

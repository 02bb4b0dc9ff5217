"""Guards of the sandbox: a handler's call that would leave it ends the run; the error names call, function and line.

A Python audit hook sees most such calls, wherever they are made and however the name was imported. An audit hook cannot
be removed; outside of an invocation it does nothing. Functions that Python does not audit are replaced while handlers
run. Waits that can pass in virtual time are no escape: `sandbox` replaces them.

Not seen: a lock that another invocation holds, calls of C libraries, event loops other than asyncio's or trio's, and,
before Python 3.13, which audits it, a `sleep` that a library has imported by name.
"""

import asyncio.events
import inspect
import os
import random  # noqa: TID251 - the type of what replaces it
import signal
import sys
import sysconfig
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import FrameType, ModuleType
from typing import Protocol, TypeAlias

import trio

REAL = "that would run in real time, outside of the simulation"
"""The reason to refuse most calls."""


class Invoked(Protocol):
    """A running invocation, as the functions see it that its handler calls."""

    @property
    def chance(self) -> random.Random:
        """Source of its random numbers."""
        ...

    def sleep(self, seconds: float) -> None:
        """Suspend this invocation."""
        ...

    def read_clock(self) -> int:
        """Return the milliseconds of virtual time."""
        ...

    def refuse(self, what: str, why: str = REAL) -> None:
        """End the run, as the handler does something that cannot be simulated; raise `SimulationError`."""
        ...


class Original(Protocol):
    """A function before its replacement."""

    def __call__(self, *arguments: object, **options: object) -> object:
        """Call the function."""
        ...


Patch: TypeAlias = tuple[ModuleType | type, str, object]
"""A module or class, the name of one of its attributes, and the replacement."""

_invoked: ContextVar[Invoked | None] = ContextVar("chaosqs_invocation", default=None)


def enter(invoked: Invoked) -> None:
    """Mark the code that runs in this context as that of an invocation."""
    _invoked.set(invoked)


@contextmanager
def outside() -> Generator[None]:
    """Run a `with` block as code of no invocation."""
    before = _invoked.set(None)
    try:
        yield
    finally:
        _invoked.reset(before)


def current() -> Invoked | None:
    """Return the invocation whose code calls, or None."""
    return _invoked.get()


def refused(what: str, original: Original) -> Original:
    """Return a replacement that ends the run if an invocation calls it; `what`: what the call does, for the error."""

    def call(*arguments: object, **options: object) -> object:
        invoked = current()
        if invoked is not None:
            invoked.refuse(what)
        return original(*arguments, **options)

    return call


# The guards -----------------------------------------------------------------------------------------------------------

_AUDITED = {
    "_thread.start_joinable_thread": "starts a thread",
    "_thread.start_new_thread": "starts a thread",
    "os.exec": "starts a program",
    "os.fork": "starts a process",
    "os.forkpty": "starts a process",
    "os.kill": "sends a signal",
    "os.killpg": "sends a signal",
    "os.posix_spawn": "starts a process",
    "os.spawn": "starts a process",
    "os.startfile": "starts a program",
    "os.system": "starts a process",
    "socket.bind": "opens a socket",
    "socket.connect": "opens a connection",
    "socket.getaddrinfo": "asks for an address",
    "socket.gethostbyaddr": "asks for an address",
    "socket.gethostbyname": "asks for an address",
    "socket.getnameinfo": "asks for an address",
    "socket.sendmsg": "sends to the network",
    "socket.sendto": "sends to the network",
    "subprocess.Popen": "starts a process",
    "time.sleep": "sleeps",
}
"""Forbidden actions, by the name of Python's audit event."""


def guards() -> Iterator[Patch]:
    """Yield the replacements for the time that handlers run; install the audit hook if it is missing."""
    _listen()
    yield threading.Thread, "start", _refused(threading.Thread, "start", "starts a thread")
    for owner in (asyncio, asyncio.events):
        what = "starts an event loop of asyncio (asyncio.new_event_loop)"
        yield owner, "new_event_loop", refused(what, vars(owner)["new_event_loop"])
    yield asyncio.BaseEventLoop, "run_forever", _refused(asyncio.BaseEventLoop, "run_forever", "runs an event loop")
    yield threading.Condition, "wait", _wait(vars(threading.Condition)["wait"])
    yield trio, "run", _refused(trio, "run", "starts a run of trio")
    for name in ("alarm", "setitimer"):
        if hasattr(signal, name):
            yield signal, name, _refused(signal, name, "sets an alarm")
    if find_spec("_posixsubprocess") is not None:
        processes = import_module("_posixsubprocess")
        yield processes, "fork_exec", _refused(processes, "fork_exec", "starts a process")
    for name in ("_exit", "abort"):
        yield os, name, _exit(vars(os)[name])


@cache
def _listen() -> None:
    sys.addaudithook(_heard)


def _heard(event: str, _: tuple[object, ...]) -> None:
    if event in _AUDITED:
        invoked = current()
        if invoked is not None:
            invoked.refuse(f"{_AUDITED[event]} ({event})")


def _refused(owner: type | object, name: str, what: str) -> object:
    own = getattr(owner, "__name__", "")
    where = f"{vars(owner)['__module__'].partition('.')[0]}.{own}" if isinstance(owner, type) else own
    return refused(f"{what} ({where}.{name})", vars(owner)[name])


def _wait(original: Original) -> object:
    """Refuse to wait for another thread; a check without a wait goes through."""
    refuse = refused("waits for a thread (threading.Condition.wait)", original)

    def wait(self: object, timeout: float | None = None) -> object:
        return original(self, timeout) if timeout is not None and timeout <= 0 else refuse(self, timeout)

    return wait


def _exit(original: Original) -> object:
    """End the invocation as a crash if the handler would end this process (LX-14)."""

    def leave(*arguments: object) -> object:
        if current() is None:
            return original(*arguments)
        raise SystemExit(*arguments)

    return leave


# The place of a call --------------------------------------------------------------------------------------------------

OURS = str(Path(__file__).parents[1]) + os.sep
LIBRARIES = tuple(sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib"))
INSTALLED = (f"{os.sep}site-packages{os.sep}", f"{os.sep}dist-packages{os.sep}")


def call_site(frame: FrameType | None = None, root: str = "") -> str:
    """Return file and line of the innermost call that neither chaosqs nor a library makes: `app/handler.py:12`.

    `frame`: where to begin; None: here. `root`: directory from which the file is named if it lies there; otherwise the
    working directory.
    """
    frame = inspect.currentframe() if frame is None else frame
    while frame is not None:
        file = frame.f_code.co_filename
        if is_theirs(file):
            return shown(file, frame.f_lineno, root)
        frame = frame.f_back
    return "an unknown place"


def shown(file: str, line: int, root: str = "") -> str:
    """Return file and line as errors have them: `app/handler.py:12`. `root` as for `call_site`."""
    folder = root if root and file.startswith(root + os.sep) else os.getcwd()  # noqa: PTH109 - as text
    return f"{file.removeprefix(folder + os.sep)}:{line}"


def is_theirs(file: str) -> bool:
    """Return whether a file is the user's own code: neither part of chaosqs nor a library."""
    if file.startswith((OURS, "<")) or any(folder in file for folder in INSTALLED):
        return False
    return not file.startswith(LIBRARIES)

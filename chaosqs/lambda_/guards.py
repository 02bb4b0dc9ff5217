"""Guards of the sandbox: a handler's call that would leave it ends the run; the error names call, function and line.

A Python audit hook sees most such calls, wherever they are made and however the name was imported. An audit hook cannot
be removed; outside of an invocation it does nothing. Functions that Python does not audit are replaced while handlers
run. Waits that can pass in virtual time are not an escape: `sandbox` replaces them.

Not seen: calls of C libraries, event loops other than asyncio's or trio's, and, before Python 3.13, which audits it, a
`sleep` that a library has imported by name.
"""

from __future__ import annotations

import builtins
import errno
import faulthandler
import inspect
import os
import platform
import random  # noqa: TID251 - the type of what replaces it
import select
import selectors
import signal
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import FrameType, ModuleType
from typing import NoReturn, Protocol, TypeAlias

import trio

from chaosqs.errors import SimulationError

REAL = "that would run in real time, outside of the simulation"
"""The reason to refuse most calls."""
SETUP = "the setup function"
"""The name of the user's code that prepares a run; no function of Lambda can have it."""


class StartedThread(Protocol):
    """A thread that an invocation or a test has started."""

    @property
    def ident(self) -> int:
        """Its number."""
        ...

    @property
    def thread(self) -> threading.Thread | None:
        """Its object, if it has one."""
        ...


class EnvironmentThreads(Protocol):
    """The threads of an execution environment, or of a test."""

    @property
    def alive(self) -> Sequence[StartedThread]:
        """Those that have not ended, in the order of their starts."""
        ...

    def number(self, kind: str) -> int:
        """Return the number of another object of a kind in this environment, from 0."""
        ...


class Participant(Protocol):
    """Code in virtual time, as the functions see it that it calls: an invocation, or a test inside `aws()`."""

    def sleep(self, seconds: float) -> None:
        """Suspend the calling thread."""
        ...

    def read_clock(self, readings: int = 1) -> int:
        """Return the milliseconds of virtual time; many readings without a wait take some time themselves."""
        ...

    @property
    def threads(self) -> EnvironmentThreads:
        """Threads of its execution environment, or of the test."""
        ...

    def spawn(self, body: Callable[[], object], thread: threading.Thread | None) -> StartedThread:
        """Start a thread; `thread`: its object, if it has one."""
        ...

    def suspend(self, arrange: Callable[[Callable[[], None]], object], seconds: float | None) -> None:
        """Suspend the calling thread until the function that `arrange` gets is called, or until a time is over."""
        ...


class Invoked(Participant, Protocol):
    """A running invocation."""

    @property
    def chance(self) -> random.Random:
        """Source of its random numbers."""
        ...

    @property
    def code(self) -> str:
        """Directory of its function's code, Lambda's `/var/task`; empty if it has none of its own."""
        ...

    def refuse(self, what: str, why: str = REAL) -> None:
        """End the run, as the handler does something that cannot be simulated; raise `SimulationError`."""
        ...

    def exit(self, status: object) -> NoReturn:
        """End the process of the handler, from whichever of its threads, with an exit status."""
        ...


class Original(Protocol):
    """A function before its replacement."""

    def __call__(self, *arguments: object, **options: object) -> object:
        """Call the function."""
        ...


Patch: TypeAlias = tuple[ModuleType | type, str, object]
"""A module or class, the name of one of its attributes, and the replacement."""

_invoked: ContextVar[Invoked | None] = ContextVar("chaosqs_invocation", default=None)
_importer: ContextVar[Invoked | None] = ContextVar("chaosqs_importer", default=None)


def enter(invoked: Invoked) -> None:
    """Mark the code that runs in this context as that of an invocation."""
    _invoked.set(invoked)


@contextmanager
def outside() -> Generator[None]:
    """Run a `with` block as code of no invocation: the import of a shared module, which must not use the network."""
    importer = _importer.set(current() or _importer.get())
    before = _invoked.set(None)
    try:
        yield
    finally:
        _invoked.reset(before)
        _importer.reset(importer)


def importer() -> Invoked | None:
    """Return the invocation whose code imports a shared module just now, or None."""
    return _importer.get()


def current() -> Invoked | None:
    """Return the invocation whose code calls, or None."""
    return _invoked.get()


def unanswered(call: str, why: str) -> NoReturn:
    """End the run, as code makes a call that nothing answers: with its place, if it is an invocation's."""
    invoked = current()
    if invoked is not None:
        invoked.refuse(f"calls {call}", why)
    raise SimulationError(f"{call}: {why}")


def refused(what: str, original: Original) -> Original:
    """Return a replacement that ends the run if an invocation calls it; `what`: what the call does, for the error."""

    def call(*arguments: object, **options: object) -> object:
        invoked = current()
        if invoked is not None:
            invoked.refuse(*_reason(what))
        return original(*arguments, **options)

    return call


# The guards -----------------------------------------------------------------------------------------------------------

_AUDITED = {
    "_thread.start_joinable_thread": "starts a thread",
    "_thread.start_new_thread": "starts a thread",
    "builtins.breakpoint": "stops in a debugger",
    "os.exec": "starts a program",
    "os.fork": "starts a process",
    "os.forkpty": "starts a process",
    "os.kill": "sends a signal",
    "os.killpg": "sends a signal",
    "os.posix_spawn": "starts a process",
    "os.spawn": "starts a process",
    "os.startfile": "starts a program",
    "os.system": "starts a process",
    "resource.prlimit": "limits this process",
    "resource.setrlimit": "limits this process",
    "signal.pthread_kill": "sends a signal",
    "socket.bind": "opens a socket",
    "socket.connect": "opens a connection",
    "socket.getaddrinfo": "asks for an address",
    "socket.gethostbyaddr": "asks for an address",
    "socket.gethostbyname": "asks for an address",
    "socket.getnameinfo": "asks for an address",
    "socket.sendmsg": "sends to the network",
    "socket.sendto": "sends to the network",
    "subprocess.Popen": "starts a process",
    "sys.addaudithook": "adds an audit hook",
    "time.sleep": "sleeps",
}
"""Forbidden actions, by the name of Python's audit event."""
_CHANGES = {
    **dict.fromkeys(("open", "os.chmod", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.utime"), slice(1)),
    **dict.fromkeys(("os.link", "os.symlink"), slice(1, 2)),
    "os.rename": slice(2),
}
"""Changes of files, by the name of Python's audit event, with the place among its arguments of what is changed."""
_FOLLOWS = frozenset({"open", "os.chmod", "os.truncate", "os.utime"})
"""Changes of what a symbolic link leads to; the others are changes of the link."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_TRUNC


def guards() -> Iterator[Patch]:
    """Yield the replacements for the time that handlers run; install the audit hook if it is missing."""
    _listen()
    yield trio, "run", _refused(trio, "run", "starts a run of trio")
    for name in ("alarm", "setitimer", "pause", "sigwait", "sigwaitinfo", "sigtimedwait", "raise_signal"):
        if hasattr(signal, name):
            yield signal, name, _refused(signal, name, "uses a signal")
    yield signal, "signal", _signal(vars(signal)["signal"])
    yield from _waits_for_the_network()
    yield from _guards_of_this_process()
    yield builtins, "input", _input(builtins.input)


def _waits_for_the_network() -> Iterator[Patch]:
    for name in ("poll", "epoll", "kqueue"):
        if hasattr(select, name):
            yield select, name, _refused(select, name, "waits for the network")
    yield select, "select", _select(vars(select)["select"])
    for kind in vars(selectors).values():
        if isinstance(kind, type) and "select" in vars(kind) and kind is not selectors.BaseSelector:
            yield kind, "select", _selected(vars(kind)["select"])
    yield vars(import_module("multiprocessing.pool"))["Pool"], "_wait_for_updates", _updates()


def _guards_of_this_process() -> Iterator[Patch]:
    if find_spec("_posixsubprocess") is not None:
        processes = import_module("_posixsubprocess")
        yield processes, "fork_exec", _refused(processes, "fork_exec", "starts a process")
    for name in ("_exit", "abort"):
        yield os, name, _exit(vars(os)[name])
    for name in _FOR_GOOD:
        if hasattr(os, name):
            yield os, name, _refused(os, name, "changes this process")
    for name in ("enable", "disable", "register", "unregister", "dump_traceback_later", "cancel_dump_traceback_later"):
        if hasattr(faulthandler, name):
            yield faulthandler, name, _skipped(vars(faulthandler)[name])
    processor: object = vars(platform).get("_Processor")
    if isinstance(processor, type) and "from_subprocess" in vars(processor):
        yield processor, "from_subprocess", _asked_outside(getattr(processor, "from_subprocess"))  # noqa: B009 - of no type


@cache
def _listen() -> None:
    """Install the audit hook. It is traced, as code that is left in an untraced hook would stop all tracing."""
    vars(_heard)["__cantrace__"] = True
    sys.addaudithook(_heard)


def _heard(event: str, arguments: tuple[object, ...]) -> None:
    if event in _AUDITED:
        invoked = current() or (_importer.get() if event.startswith("socket.") else None)
        if invoked is not None:
            invoked.refuse(*_reason(f"{_AUDITED[event]} ({event}{_address(event, arguments)})"))
    elif event in _CHANGES:
        invoked = current()
        if invoked is not None and invoked.code:
            _keep(invoked.code, _changed(event, arguments), follow=event in _FOLLOWS)


def _changed(event: str, arguments: tuple[object, ...]) -> list[str]:
    """Return the paths that a call would change; none if it opens a file to read it, or one that is open already."""
    if event == "open":
        flags = arguments[2]
        arguments = arguments if isinstance(flags, int) and flags & _WRITING else ()
    return [os.fsdecode(path) for path in arguments[_CHANGES[event]] if isinstance(path, (str, bytes, Path))]


def _keep(code: str, paths: Sequence[str], *, follow: bool) -> None:
    """Fail as Lambda does where the function's own directory would be changed (LX-25); `follow`: what links lead to."""
    own = f"{os.path.realpath(code)}{os.sep}"
    for path in paths:
        folder, name = os.path.split(os.path.abspath(path))  # noqa: PTH100 - as text
        found = os.path.realpath(path) if follow else os.path.join(os.path.realpath(folder), name)  # noqa: PTH118 - as text
        if f"{found}{os.sep}".startswith(own):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)


def _address(event: str, arguments: tuple[object, ...]) -> str:
    """Return the host that a call names: `: example.com`."""
    match event, arguments:
        case "socket.getaddrinfo" | "socket.gethostbyname", (str() as host, *_):
            return f": {host}"
        case "socket.connect", (_, (str() as host, int() as port) | (str() as host, int() as port, int(), int())):
            return f": {host}:{port}"
        case _:
            return ""


def _reason(what: str) -> tuple[str, str]:
    """Return what a call does and why it is refused; that of an HTTP client is named by its request, if it is found."""
    client, request, frame = "", "", inspect.currentframe()
    while frame is not None and not request:
        package = str(frame.f_globals.get("__name__")).partition(".")[0]
        if package in _HTTP_CLIENTS:
            client, request = package, _request(frame.f_locals)
        frame = frame.f_back
    if client:
        return f"calls {request or 'a server'} with {client}", _NO_STUBS
    return what, _STAYS if what.startswith(_LASTING) else REAL


_STAYS = "nothing could undo that, and the simulation goes on in this process"
_LASTING = ("changes this process", "limits this process", "adds an audit hook")
_HTTP_CLIENTS = frozenset({"aiohttp", "httpx"})
_NO_STUBS = (
    "chaosqs.stub does not answer this client\n"
    "it answers requests, urllib3, urllib.request and httpx.Client: use one of them, or replace the client in the setup"
)


def _request(known: Mapping[str, object]) -> str:
    """Return method and URL of a request, or its host, from the variables of a function of its client."""
    request = known.get("request")
    method, url, host = getattr(request, "method", ""), getattr(request, "url", ""), known.get("host")
    if method and url:
        return f"{method} {str(url).partition('?')[0]}"
    return host if isinstance(host, str) else ""


def _refused(owner: type | object, name: str, what: str) -> object:
    own = getattr(owner, "__name__", "")
    where = f"{vars(owner)['__module__'].partition('.')[0]}.{own}" if isinstance(owner, type) else own
    return refused(f"{what} ({where}.{name})", vars(owner)[name])


_Select: TypeAlias = Callable[[list[object], list[object], list[object], float | None], object]


def _select(original: _Select) -> object:
    """Sleep in virtual time where `select` has nothing to wait for; otherwise it waits for the network."""

    def wait(
        readable: list[object], writable: list[object], failed: list[object], seconds: float | None = None, /
    ) -> object:
        invoked = current()
        if invoked is None:
            return original(readable, writable, failed, seconds)
        if readable or writable or failed or seconds is None:
            invoked.refuse("waits for the network (select.select)")
        else:
            invoked.sleep(seconds)
        return list[object](), list[object](), list[object]()

    return wait


def _selected(original: Callable[[object, float | None], list[object]]) -> object:
    """Look once, and sleep in virtual time if nothing is ready; without a time limit that is a wait for the network."""

    def wait(self: object, timeout: float | None = None) -> list[object]:
        invoked = current()
        if invoked is None:
            return original(self, timeout)
        ready = original(self, 0)
        if not ready and timeout is None:
            invoked.refuse("waits for the network (selectors)")
        if not ready and timeout is not None and timeout > 0:
            invoked.sleep(timeout)
            ready = original(self, 0)
        return ready

    return wait


def _updates() -> object:
    """Let a pool of `multiprocessing.pool.ThreadPool` look after its threads each 50 ms, in virtual time."""
    pool: type = vars(import_module("multiprocessing.pool"))["Pool"]
    original: Callable[[object, object, float | None], None] = getattr(pool, "_wait_for_updates")  # noqa: B009 - no type

    def wait(sentinels: object, changes: object, timeout: float | None = None) -> None:
        invoked = current()
        if invoked is not None:
            invoked.sleep(_LOOK)
        original(sentinels, changes, timeout if invoked is None else 0)

    return staticmethod(wait)


_LOOK = 0.05
_FOR_GOOD = (
    *("setuid", "seteuid", "setreuid", "setresuid", "setgid", "setegid", "setregid", "setresgid", "setgroups"),
    *("initgroups", "setsid", "setpgid", "setpgrp", "chroot", "nice", "setpriority", "sched_setaffinity"),
)
"""Functions of `os` that change the user, the group or the priority of a process, which nothing can undo."""


def _asked_outside(original: Callable[[], object]) -> object:
    """Let `platform` ask for the kind of processor, by a program; it keeps the answer."""

    def ask() -> object:
        with outside():
            return original()

    return ask


def _skipped(original: Original) -> object:
    """Do nothing for a handler: it is about this process."""

    def call(*arguments: object, **options: object) -> object:
        return original(*arguments, **options) if current() is None else None

    return call


def _signal(original: Original) -> object:
    """Leave the signals alone by which a run is interrupted, and code that never waits is found."""

    def register(number: int, handler: object) -> object:
        if current() is not None and number in _OWN_SIGNALS:
            return signal.getsignal(number)
        return original(number, handler)

    return register


_OWN_SIGNALS = tuple(vars(signal)[name] for name in ("SIGINT", "SIGALRM") if hasattr(signal, name))


def _input(original: Callable[[object], object]) -> object:
    """Fail where the handler reads from its standard input, which is empty in Lambda."""

    def read(prompt: object = "", /) -> object:
        if current() is None:
            return original(prompt)
        raise EOFError("EOF when reading a line")

    return read


def _exit(original: Original) -> object:
    """End the invocation as a crash if the handler would end this process (LX-14)."""

    def leave(status: object = None) -> object:
        invoked = current()
        if invoked is None:
            return original() if status is None else original(status)
        return invoked.exit(status)

    return leave


# The place of a call --------------------------------------------------------------------------------------------------

OURS = str(Path(__file__).parents[1]) + os.sep
LIBRARIES = tuple(sysconfig.get_path(name) + os.sep for name in ("stdlib", "platstdlib"))
INLINE = os.path.join(tempfile.gettempdir(), "chaosqs-inline-")  # noqa: PTH118 - as text
"""Beginning of the paths of code that templates have inline."""
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
    if file.startswith(INLINE):
        return f"{file.rpartition(os.sep)[2]}:{line}"
    folder = root if root and file.startswith(root + os.sep) else os.getcwd()  # noqa: PTH109 - as text
    return f"{file.removeprefix(folder + os.sep)}:{line}"


def is_theirs(file: str) -> bool:
    """Return whether a file is the user's own code: neither part of chaosqs nor a library."""
    if file.startswith((OURS, "<")) or any(folder in file for folder in INSTALLED):
        return False
    return not file.startswith(LIBRARIES)

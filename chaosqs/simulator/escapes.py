"""What would take a handler out of its simulation: each way ends the run, and the error names call, function and line.

Most ways are seen by an audit hook of Python's, wherever the call is made and however its name was imported. Such a
hook stays for good once there is one; outside of a simulated invocation it does nothing. What Python does not audit is
replaced while a run lasts, as in `disguise`. A wait that can be had in virtual time is had there.

Not seen: a lock that another invocation holds, calls of C libraries, event loops that are not asyncio's or trio's, and
before Python 3.13, which audits it, a `sleep` that a library has imported by name.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec

import trio

from chaosqs.simulator.disguise import Original, Patch, current, refused
from chaosqs.simulator.execution import Execution

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
"""What a handler may not do, by the name of Python's audit event."""


def patches() -> Iterator[Patch]:
    """Yield what is to be replaced while a run lasts; see that the audit hook is there."""
    _listen()
    yield asyncio.BaseEventLoop, "run_forever", _refused(asyncio.BaseEventLoop, "run_forever", "runs an event loop")
    yield threading.Condition, "wait", _wait(vars(threading.Condition)["wait"])
    yield trio, "run", _refused(trio, "run", "starts a run of trio: an `async def` handler needs none")
    yield trio.to_thread, "run_sync", _refused(trio.to_thread, "run_sync", "starts a thread")
    yield from _cached_threads()
    for name in ("alarm", "setitimer"):
        if hasattr(signal, name):
            yield signal, name, _refused(signal, name, "sets an alarm")
    if find_spec("_posixsubprocess") is not None:
        processes = import_module("_posixsubprocess")
        yield processes, "fork_exec", _refused(processes, "fork_exec", "starts a process")
    for name in ("_exit", "abort"):
        yield os, name, _exit(vars(os)[name])
    yield trio, "sleep", _sleep(trio.sleep)


@cache
def _listen() -> None:
    sys.addaudithook(_heard)


def _heard(event: str, _: tuple[object, ...]) -> None:
    if event in _AUDITED:
        here = current()
        if isinstance(here, Execution):
            here.refuse(f"{_AUDITED[event]} ({event})")


def _refused(owner: type | object, name: str, what: str) -> object:
    place = getattr(owner, "__name__", "")
    where = f"{vars(owner)['__module__'].partition('.')[0]}.{place}" if isinstance(owner, type) else place
    return refused(f"{what} ({where}.{name})", vars(owner)[name])


def _cached_threads() -> Iterator[Patch]:
    """Cover the threads that trio keeps for the next one who wants one; it has no public way to them."""
    found = find_spec("trio._core._thread_cache") is not None
    cache = vars(import_module("trio._core._thread_cache")).get("ThreadCache") if found else None
    if isinstance(cache, type):
        original = vars(cache)["start_thread_soon"]
        yield cache, "start_thread_soon", refused("starts a thread (trio.lowlevel.start_thread_soon)", original)


def _wait(original: Original) -> object:
    """Refuse to wait for another thread; to look whether it is done takes no time."""
    refuse = refused("waits for a thread (threading.Condition.wait)", original)

    def wait(self: object, timeout: float | None = None) -> object:
        return original(self, timeout) if timeout is not None and timeout <= 0 else refuse(self, timeout)

    return wait


def _exit(original: Original) -> object:
    """End the invocation as a crash, where the handler would end this process (LX-14)."""

    def leave(*arguments: object) -> object:
        if current() is None:
            return original(*arguments)
        raise SystemExit(*arguments)

    return leave


def _sleep(original: Callable[[float], object]) -> object:
    """Have a brown-out make the waits of `async def` handlers longer, too."""

    def sleep(seconds: float) -> object:
        here = current()
        return original(seconds * here.pace if isinstance(here, Execution) else seconds)

    return sleep

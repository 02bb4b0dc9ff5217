"""The event loop of asyncio inside of a handler: its timers pass in virtual time, and it has no sockets.

`asyncio.run`, `gather`, `wait_for`, time limits, executors and threads that call back work as usual. Connections,
servers, subprocesses and watched files are refused at their call.
"""

import asyncio
import asyncio.events
import itertools
import sys
import time  # noqa: TID251 - within an invocation it is virtual
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextvars import Context
from typing import TypeVar

import attrs
import trio

from chaosqs.errors import EscapedSimulation
from chaosqs.lambda_.clocks import in_test, participant
from chaosqs.lambda_.guards import Original, Participant, Patch, call_site, current, refused

Result = TypeVar("Result")
READINGS_A_TURN = 25
"""Assumed: clock readings that take as long as a turn of a loop whose tasks do not wait: 25 µs."""


class VirtualEventLoop(asyncio.BaseEventLoop):
    """An event loop whose waits suspend the invocation or the test that runs it."""

    is_virtual = True

    def __init__(self) -> None:
        """Make a loop with nothing to do."""
        super().__init__()
        self._selector = _Selector()
        self.outside = sys.get_asyncgen_hooks()
        """Hooks for asynchronous generators of the code around the loop."""
        self._numbers = itertools.count(1)
        for name, what in _REFUSED.items():
            setattr(self, name, refused(f"{what} (asyncio: {name})", vars(asyncio.AbstractEventLoop)[name]))

    def time(self) -> float:
        """Return the seconds of virtual time."""
        caller = _caller()
        return time.monotonic() if caller is None else caller.read_clock() / 1000

    def run_forever(self) -> None:
        """Run until `stop` is called."""
        self.outside = sys.get_asyncgen_hooks()
        super().run_forever()

    def __del__(self) -> None:
        """Say nothing of a loop that was not closed: it holds nothing, and its invocation may have been ended."""

    def create_task(
        self,
        coro: Generator[object, None, Result] | Coroutine[object, object, Result],
        *,
        name: object = None,
        context: Context | None = None,
    ) -> "asyncio.Task[Result]":
        """Make a task that has a number of its own in this loop."""
        return _Task(coro, self, next(self._numbers), name, context)

    def _process_events(self, events: list[object]) -> None:
        """Do nothing: no files are watched."""

    def _write_to_self(self) -> None:
        self._selector.wake()


class _Task(asyncio.Task[Result]):
    """A task whose order in sets, and whose name, does not depend on its address or on other loops."""

    def __init__(
        self,
        coroutine: Generator[object, None, Result] | Coroutine[object, object, Result],
        loop: asyncio.AbstractEventLoop,
        number: int,
        name: object,
        context: Context | None,
    ) -> None:
        self._number = number
        title = f"Task-{number}" if name is None else str(name)
        super().__init__(coroutine, loop=loop, name=title, context=context)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType] - as asyncio types it

    def __hash__(self) -> int:
        return self._number


@attrs.define(eq=False)
class _Selector:
    """Waits for a loop, instead of a selector of files."""

    _wake: Callable[[], None] | None = None

    def select(self, seconds: float | None) -> list[object]:
        """Suspend the invocation until a time is over, or until another thread has something for the loop."""
        caller = _caller()
        if caller is None:
            return []
        if seconds is None or seconds > 0:
            caller.suspend(self._arrange, seconds)
            self._wake = None
        else:
            caller.read_clock(READINGS_A_TURN)
        return []

    def _arrange(self, wake: Callable[[], None]) -> None:
        self._wake = wake

    def wake(self) -> None:
        if self._wake is not None:
            self._wake()


_REFUSED = {
    "add_reader": "watches a file",
    "add_writer": "watches a file",
    "connect_read_pipe": "opens a pipe",
    "connect_write_pipe": "opens a pipe",
    "create_connection": "opens a connection",
    "create_datagram_endpoint": "opens a socket",
    "create_server": "opens a socket",
    "create_unix_connection": "opens a connection",
    "create_unix_server": "opens a socket",
    "getaddrinfo": "asks for an address",
    "getnameinfo": "asks for an address",
    "sock_accept": "opens a socket",
    "sock_connect": "opens a connection",
    "sock_recv": "waits for the network",
    "sock_sendall": "sends to the network",
    "subprocess_exec": "starts a process",
    "subprocess_shell": "starts a process",
}
"""Methods that need a socket, a file or a process."""


# Replacements, and loops while their invocation is suspended ----------------------------------------------------------


def loop_patches() -> Iterator[Patch]:
    """Yield the replacements by which event loops of handlers and tests are virtual."""
    events = vars(asyncio.events)
    policy: type = events.get("BaseDefaultEventLoopPolicy") or events["_BaseDefaultEventLoopPolicy"]
    original: Original = vars(policy)["new_event_loop"]
    yield policy, "new_event_loop", _new_loop(original)
    for owner in (asyncio, asyncio.tasks):
        yield owner, "sleep", _sleep(vars(owner)["sleep"], "asyncio.sleep")
    yield trio, "sleep", _sleep(vars(trio)["sleep"], "trio.sleep")
    yield asyncio.BaseEventLoop, "run_forever", _run_forever(vars(asyncio.BaseEventLoop)["run_forever"])


def _new_loop(original: Original) -> object:
    def new_event_loop(self: object) -> object:
        return original(self) if participant() is None else VirtualEventLoop()

    return new_event_loop


def _run_forever(original: Original) -> object:
    refuse = refused("runs an event loop with sockets (asyncio.BaseEventLoop.run_forever)", original)

    def run_forever(self: object) -> object:
        return original(self) if isinstance(self, VirtualEventLoop) else refuse(self)

    return run_forever


def _caller() -> Participant | None:
    return current() or in_test()


def _sleep(original: Original, name: str) -> object:
    """Refuse to sleep in real time in a test inside `aws()`, as its world would stand still."""

    def sleep(delay: float, *result: object) -> object:
        if current() is None and delay > 0 and participant() is not None and not hasattr(running_loop(), "is_virtual"):
            raise EscapedSimulation(
                f"the test sleeps at {call_site()} ({name}) in an event loop that began outside of chaosqs.aws()\n"
                "Its sleep takes real time, and the world stands still: call time.sleep, or asyncio.run in the block"
            )
        return original(delay, *result)

    return sleep


running_loop: Callable[[], object] = vars(asyncio.events)["_get_running_loop"]
"""Returns the event loop that runs in this thread, or None."""
_set_running_loop: Callable[[object], None] = vars(asyncio.events)["_set_running_loop"]


def step_out() -> Callable[[], None]:
    """Leave the loop that runs here, as its invocation is suspended; return the function that enters it again."""
    loop, hooks = running_loop(), sys.get_asyncgen_hooks()
    outside = loop.outside if isinstance(loop, VirtualEventLoop) else None
    _set_running_loop(None)
    sys.set_asyncgen_hooks(*(outside or (None, None)))

    def step_in() -> None:
        _set_running_loop(loop)
        sys.set_asyncgen_hooks(*hooks)

    return step_in

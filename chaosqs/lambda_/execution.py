"""One invocation of real code while it runs: a task of trio that waits in virtual time, and ends when Lambda says so.

Whatever the code waits for, the event queue wakes it, one task a step. `async def` handlers wait natively, plain ones
through a portal of greenback's: their `time.sleep` suspends them and nobody else. A timeout or a crash is decided by
a step, at its moment; the code learns of it as a cancellation at its next wait, and what it then calls has no effect.
Code that never waits cannot be ended, nor can code that catches `BaseException` around each wait and goes on.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import sys
import sysconfig
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from math import ceil
from pathlib import Path

import attrs
import greenback
import trio
from trio.lowlevel import Abort

from chaosqs import user_code
from chaosqs.errors import EscapedSimulation, SimulationError
from chaosqs.kernel.event_queue import EventQueue
from chaosqs.lambda_.handler import Handler, raised, returned
from chaosqs.lambda_.invocation import TIMED_OUT, Invocation, InvocationOutcome, killed
from chaosqs.lambda_.sandbox import Original, Patch, Source, current, enter, refused
from chaosqs.sqs.api.receiving import Wait

# Where in the user's code a call comes from: for the error that says so. ---------------------------------------------

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


# ---------------------------------------------------------------------------------------------------------------------

_READS_A_MILLISECOND = 1000
"""Assumed: so many looks at the clock take a millisecond; so a loop that looks until it is time comes to an end."""
_DIGITS = 6
"""Of a millisecond: 0.07 s is 70 ms, not the 70.00000000000001 that floating point makes of it."""


@attrs.define(eq=False)
class Execution:
    """The code of one invocation, and what it does with its time."""

    invocation: Invocation
    event_queue: EventQueue
    wake_others: Callable[[], None]
    """Tells the clock that a task is runnable."""
    chance: Source
    done: Callable[[InvocationOutcome], None]
    """Called in a step of the event queue when the code has come to an end."""
    latency: Callable[[int], int]
    """Returns how long the n-th wait takes where that is a call, in milliseconds."""
    dies_at: int = 0
    """At which of its waits its environment dies; 0: at none."""
    pace: int = 1
    """How many times as long its sleeps and calls take as they would."""
    over: bool = False
    _scope: trio.CancelScope = attrs.field(factory=trio.CancelScope)
    _waits: int = 0
    _reads: int = 0

    @property
    def remaining(self) -> int:
        """Milliseconds until the function timeout."""
        return self.invocation.begins + self.invocation.limit - self.event_queue.now

    @property
    def duration(self) -> int:
        """Milliseconds that count as the invocation's duration by now."""
        return self.event_queue.now - self.invocation.begins

    # The course of it

    async def run(
        self, handler: Handler, event: object, context: object, messages: Mapping[str, int], code: user_code.Simulation
    ) -> None:
        """Run the handler to its end, whatever that is; `code`: what it reports to."""
        enter(self)
        user_code.enter(code)
        reporting = self.invocation.request.mapping.report_batch_item_failures
        with self._scope:
            try:
                value = await self._call(handler, event, context)
            except (SimulationError, KeyboardInterrupt) as error:
                self._fail(error)
            except trio.Cancelled:
                raise
            except BaseException as error:  # noqa: BLE001 - that of the handler's process is all that it ends
                self._end(raised(error, self.duration, reporting=reporting))
            else:
                self._end(returned(value, self.duration, messages, reporting=reporting))

    async def _call(self, handler: Handler, event: object, context: object) -> object:
        if self.invocation.initialises:
            await self._pause(self.invocation.initialises)  # LX-14

        async def perform() -> object:
            value = handler.call(event, context)
            return await value if inspect.isawaitable(value) else value

        if handler.awaits:
            return await greenback.with_portal_run_tree(perform)
        return await greenback.with_portal_run(perform)

    def time_out(self) -> None:
        """End the invocation by the function timeout (LX-9): a step of the event queue."""
        if not self.over:
            limit = self.invocation.limit
            self._finish(InvocationOutcome("timed_out", limit, error=TIMED_OUT))
            self._cut()

    def _end(self, outcome: InvocationOutcome) -> None:
        """Take the end that the code came to by itself, if it was in time."""
        if not self.over:
            late = self.remaining <= 0
            self._finish(InvocationOutcome("timed_out", self.invocation.limit, error=TIMED_OUT) if late else outcome)

    def _finish(self, outcome: InvocationOutcome) -> None:
        self.over = True
        self.event_queue.at(self.event_queue.now, lambda: self.done(outcome))

    def _cut(self) -> None:
        self._scope.cancel()
        self.wake_others()

    def _fail(self, error: BaseException) -> None:
        """End the run with an error."""

        def fail() -> None:
            raise error

        self.over = True
        self.event_queue.at(self.event_queue.now, fail)

    # What it calls

    def sleep(self, seconds: float) -> None:
        """Suspend this invocation; a part of a millisecond counts as a whole one."""
        self._await(ceil(round(seconds * 1000 * self.pace, _DIGITS)))

    def read_clock(self) -> int:
        """Return the milliseconds since the start of the run."""
        self._reads += 1
        if self._reads >= _READS_A_MILLISECOND:
            self._await(1)
        return self.event_queue.now

    def call(self) -> None:
        """Let the time pass that a call takes."""
        self._await(self.latency(self._waits + 1) * self.pace)

    def answer(self, wait: Wait) -> Mapping[str, object]:
        """Wait for the answer to a long poll."""
        answers: list[Mapping[str, object]] = []

        def arrange(wake: Callable[[], None]) -> None:
            def tell(answer: dict[str, object]) -> None:
                answers.append(answer)
                self.event_queue.at(self.event_queue.now, wake, self.invocation.task)

            wait.then(tell)

        self._through_portal()
        greenback.await_(self._wait(arrange, wait.cancel))
        return answers[0]

    def refuse(self, what: str) -> None:
        """End the run, as the handler does what cannot be simulated."""
        name = self.invocation.request.mapping.function
        where = f"at {call_site()}: that would run in real time, outside of the simulation"
        error = EscapedSimulation(f"the handler of {name} {what} {where}")
        self._fail(error)
        raise error

    def _await(self, milliseconds: int) -> None:
        self._through_portal()
        greenback.await_(self._pause(milliseconds))

    def _through_portal(self) -> None:
        if not greenback.has_portal():
            self.refuse("waits in a thread or a loop of its own")

    async def _pause(self, milliseconds: int) -> None:
        due = self.event_queue.now + milliseconds
        await self._wait(lambda wake: self.event_queue.at(due, wake, self.invocation.task))

    async def _wait(
        self, arrange: Callable[[Callable[[], None]], None], gone: Callable[[], None] | None = None
    ) -> None:
        """Suspend the task that asks until a step calls what `arrange` was given."""
        self._reads = 0
        self._waits += 1
        if self._waits == self.dies_at and not self.over:
            assert self.invocation.injected is not None
            self._finish(killed(self.invocation.injected, self.duration))
            self._cut()
        task, waiting = trio.lowlevel.current_task(), True

        def wake() -> None:
            nonlocal waiting
            if waiting:
                waiting = False
                trio.lowlevel.reschedule(task)
                self.wake_others()

        def abort(_: object) -> Abort:
            nonlocal waiting
            waiting = False
            if gone is not None:
                gone()
            return Abort.SUCCEEDED

        arrange(wake)
        await trio.lowlevel.wait_task_rescheduled(abort)


# What would take a handler out of its simulation: each way ends the run, and the error names call, function and line. ---
#
# Most ways are seen by an audit hook of Python's, wherever the call is made and however its name was imported. Such a
# hook stays for good once there is one; outside of a simulated invocation it does nothing. What Python does not audit
# is replaced while a run lasts, as in `disguise`. A wait that can be had in virtual time is had there.
#
# Not seen: a lock that another invocation holds, calls of C libraries, event loops that are not asyncio's or trio's,
# and before Python 3.13, which audits it, a `sleep` that a library has imported by name.

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
    index = getattr(owner, "__name__", "")
    where = f"{vars(owner)['__module__'].partition('.')[0]}.{index}" if isinstance(owner, type) else index
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

"""The watch over handlers: code that never waits is found, and Ctrl-C works whatever a handler catches.

A handler that runs for `LIMIT` seconds of real time without a wait ends the run with an error that names the function,
the file and the line. No `except` of the handler sees it: a signal suspends the code for good. This works in the main
thread, where Python runs signal handlers, and while Python code runs or a call can be interrupted; a call of a C
library that never returns cannot be ended in process. `project` runs searches in a child process that can be killed.
"""

import ctypes
import signal
import sys
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from math import inf
from time import monotonic  # noqa: TID251 - what is measured is real time
from types import FrameType

import attrs
import greenlet

from chaosqs.errors import HandlerStuck
from chaosqs.lambda_.guards import call_site
from chaosqs.lambda_.handler_runtime import WATCHERS, HandlerTask, activity

LIMIT = 10.0
"""Seconds of real time that a handler may run without a wait."""
_NESTED = 3
"""Trace functions that may be running inside each other: those of tracing and of profiling."""
_TICKS = 20
"""Number of looks within the limit."""


@attrs.frozen
class Place:
    """Present position of the code of a handler."""

    function: str
    site: str
    """File and line: `app/charge.py:24`."""


def running(frame: FrameType | None = None) -> Place | None:
    """Return where the handler is that runs now, for those who watch this process; None if none runs.

    `frame`: the innermost frame of the main thread; None: that of the caller.
    """
    task = activity.task
    return None if task is None else Place(task.invocation.request.mapping.function, call_site(frame))


@attrs.define(eq=False)
class _Watch:
    """The signal handlers of the outermost `watched`."""

    interrupt: Callable[[int, FrameType | None], object]
    """The handler of SIGINT before."""
    alarm: object = None
    """The handler of SIGALRM before."""
    alarm_due: float = inf
    """Moment at which the timer that was set before is due."""
    seen: int = -1
    since: float = 0
    stopped: bool = False
    """True if it left code suspended."""

    def on_interrupt(self, number: int, frame: FrameType | None) -> None:
        """End the run by KeyboardInterrupt, in the handler's code as elsewhere."""
        task = _task()
        if task is None:
            self.interrupt(number, frame)
            return
        try:
            self.interrupt(number, frame)
        except KeyboardInterrupt as error:
            self._stop(task, error, call_site(frame))

    def on_tick(self, number: int, frame: FrameType | None) -> None:
        """End the run if the same stretch of a handler's code has run for too long."""
        now = monotonic()
        if now >= self.alarm_due and callable(self.alarm):
            self.alarm_due = inf
            self.alarm(number, frame)
        if activity.switches != self.seen or activity.task is None:
            self.seen, self.since = activity.switches, now
        elif now - self.since >= LIMIT:
            self.since = now
            task = _task()
            if task is not None:
                site = call_site(frame)
                self._stop(task, _stuck(task, site), site)

    def _stop(self, task: HandlerTask, error: BaseException, site: str) -> None:
        """End the run, and leave the code suspended where it is.

        It is never freed: Python would raise GreenletExit in it, which it may catch, and go on.
        """
        self.stopped = True
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(greenlet.getcurrent()))
        task.abort(error, site, for_good=True)


def _task() -> HandlerTask | None:
    """Return the task whose code has been interrupted."""
    task = activity.task
    return task if task is not None and task.runs_here() else None


def _stuck(task: HandlerTask, site: str) -> HandlerStuck:
    name = task.invocation.request.mapping.function
    ran = f"has run for {LIMIT:g} s of real time without a wait"
    return HandlerStuck(f"the handler of {name} {ran}, at {site}: sleeps and calls of boto3 are waits")


def _resume_tracing() -> None:
    """Let trace functions be called again: code that was suspended inside of one keeps Python from that for good."""
    state = ctypes.PYFUNCTYPE(ctypes.c_void_p)(("PyThreadState_Get", ctypes.pythonapi))
    leave = ctypes.PYFUNCTYPE(None, ctypes.c_void_p)(("PyThreadState_LeaveTracing", ctypes.pythonapi))
    for _ in range(_NESTED):
        if _is_traced():
            return
        leave(state())


def _is_traced() -> bool:
    """Return True if Python calls a trace function."""
    calls: list[object] = []
    before = sys.gettrace()

    def note(frame: FrameType, event: str, _: object) -> None:
        calls.append((frame, event))

    sys.settrace(note)
    try:
        _look()
    finally:
        sys.settrace(before)
    return bool(calls)


def _look() -> None:
    """Give a trace function something to see."""


@contextmanager
def watched() -> Generator[None]:
    """Watch the handlers that run in a `with` block, if this is the main thread; restore all signals after it."""
    interrupt = signal.getsignal(signal.SIGINT)
    inside = isinstance(getattr(interrupt, "__self__", None), _Watch)
    if inside or not callable(interrupt) or threading.current_thread() is not threading.main_thread():
        yield
        return
    watch = _Watch(interrupt)
    signal.signal(signal.SIGINT, watch.on_interrupt)
    try:
        with _ticking(watch):
            yield
    finally:
        signal.signal(signal.SIGINT, interrupt)
        if watch.stopped:
            _resume_tracing()


@contextmanager
def _ticking(watch: _Watch) -> Generator[None]:
    """Let a timer call the watch; a timer that was set before goes on afterwards."""
    if WATCHERS or not hasattr(signal, "setitimer"):  # a signal would end waits of C libraries early
        yield
        return
    watch.alarm = before = signal.signal(signal.SIGALRM, watch.on_tick)
    left, interval = signal.setitimer(signal.ITIMER_REAL, LIMIT / _TICKS, LIMIT / _TICKS)
    if left:
        watch.alarm_due = monotonic() + left
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if watch.alarm_due < inf:
            signal.setitimer(signal.ITIMER_REAL, max(1e-3, watch.alarm_due - monotonic()), interval)

"""Threads of a handler or of a test inside `aws()`: tasks in virtual time, so pools overlap, in an order that repeats.

`threading`, `queue` and `concurrent.futures` are written in Python on top of a few functions of C. While handlers run,
those are replaced: a thread is a greenlet that the event queue resumes, and a lock that is taken suspends the caller.
A lock that is never released ends by the function timeout. What a handler leaves running is frozen when it returns, and
goes on in the next invocation of its environment (LX-12: an environment is frozen between invocations).

Called from anywhere but an invocation or a test (`clocks`), the replacements do what the originals do.
"""

import _thread
import _threading_local
import concurrent.futures.thread as pools
import logging
import os
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from concurrent.futures import Future
from contextvars import Context, ContextVar, copy_context
from functools import partial
from types import TracebackType
from typing import TypeAlias

import attrs
import greenlet

from chaosqs.lambda_.clocks import participant
from chaosqs.lambda_.guards import Original, Participant, Patch, current

MOST_THREADS = 1024
"""Processes and threads that an execution environment may have (Developer Guide, gettingstarted-limits)."""
_CPUS = 2
"""Assumed: number of processors that a function sees, by which pools choose their size."""
_FIRST_IDENT = 1 << 40
"""The number of an invocation's first thread; above those of real threads' on common systems, which are addresses."""

Wake: TypeAlias = Callable[[], None]


# A thread -------------------------------------------------------------------------------------------------------------


class Ended(BaseException):
    """Raised inside a handler that is ended: by its timeout, by the death of its environment, or with the run."""


@attrs.define(eq=False)
class Threads:
    """The threads of one execution environment, other than the one that calls its handler."""

    alive: "list[TaskThread]" = attrs.field(factory=list["TaskThread"])
    """In the order in which they were started."""
    _go_on: "Callable[[TaskThread], None] | None" = None
    """Lets a thread go on in the present invocation; None while there is none."""
    _numbers: dict[str, int] = attrs.field(factory=dict[str, int])

    def number(self, kind: str) -> int:
        """Return the number of another object of a kind in this environment, from 0."""
        number = self._numbers[kind] = self._numbers.get(kind, -1) + 1
        return number

    def resume(self, thread: "TaskThread") -> None:
        """Let a thread go on, in the next invocation if none runs now."""
        if self._go_on is None:
            thread.due = True
        elif not thread.done:
            self._go_on(thread)

    def freeze(self) -> None:
        """Suspend all threads, as the invocation is over."""
        self._go_on = None

    def thaw(self, go_on: "Callable[[TaskThread], None]", soon: Callable[[Wake], None]) -> None:
        """Let the threads go on in an invocation that begins; `soon` adds a step of the event queue."""
        self._go_on = go_on
        for thread in self.alive:
            if thread.due:
                thread.due = False
                soon(partial(self.resume, thread))

    def forget(self, thread: greenlet.greenlet) -> None:
        """Leave a thread as it is: it cannot be ended."""
        if isinstance(thread, TaskThread):
            thread.leave()

    def close(self) -> None:
        """End all threads: the environment is gone."""
        if not self.alive:
            return
        self._go_on = None
        disabled, _LOGGER.disabled = _LOGGER.disabled, True  # pools would log how their threads have ended
        try:
            for thread in self.alive.copy():
                thread.end()
        finally:
            _LOGGER.disabled = disabled


_LOGGER = logging.getLogger("concurrent.futures")


class TaskThread(greenlet.greenlet):
    """One thread of a handler."""

    def __init__(self, body: Callable[[], object], threads: Threads, thread: threading.Thread | None) -> None:
        """Take what it does, the threads of its environment, and its object if it has one."""
        super().__init__(self._body)
        self.ident = _FIRST_IDENT + threads.number("thread")
        self.thread = thread
        self.due = False
        """True if it was to go on while it was frozen."""
        self.done = False
        self._threads, self._call = threads, body
        self._joining = list[Wake]()
        self.gr_context = inherited(copy_context())
        threads.alive.append(self)

    def _body(self) -> None:
        try:
            self._call()
        except Ended:
            pass
        finally:
            self.leave()

    def end(self) -> None:
        """Raise `Ended` where the thread waits."""
        if self:  # false if it has not begun
            self.parent = greenlet.getcurrent()
            self.throw(Ended)
        if not self.done:
            self.leave()

    def leave(self) -> None:
        """Note that the thread has ended, and wake those who wait for it."""
        self.done = True
        if self in self._threads.alive:
            self._threads.alive.remove(self)
        if self.thread is not None:
            _mark_done(self.thread)
        for wake in self._joining:
            wake()

    def join(self, timeout: float | None) -> None:
        """Suspend the caller until the thread has ended, or until a number of seconds is over."""
        invoked = participant()
        if not self.done and invoked is not None:
            invoked.suspend(self._joining.append, None if timeout is None else max(0, timeout))


def inherited(context: Context) -> Context:
    """Return the context of a new thread: an empty one, as Python's threads have, but of the same invocation."""
    found = Context()
    adopt(found, context)
    return found


def adopt(context: Context, other: Context) -> None:
    """Make a thread's context part of the invocation that another context is part of."""
    for variable, value in other.items():
        if variable.name.startswith("chaosqs_"):
            context.run(_set, variable, value)


def _set(variable: ContextVar[object], value: object) -> None:
    variable.set(value)


def _mark_done(thread: threading.Thread) -> None:
    """Let `threading` see that a thread has ended, also when the process exits."""
    vars(thread)["_is_stopped"] = True
    handle: object = vars(thread).get("_handle")
    set_done: object = getattr(handle, "_set_done", None)
    if callable(set_done):
        set_done()


# A lock ---------------------------------------------------------------------------------------------------------------


class Lock:
    """Replaces `threading.Lock`: within an invocation, waiting for it suspends the caller, first come, first served."""

    def __init__(self) -> None:
        """Make an unlocked lock."""
        self._real = _REAL_LOCK()
        self._waiting = deque["_Waiter"]()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:  # noqa: FBT001, FBT002 - as Python has it
        """Take the lock; return False if that takes too long."""
        if not blocking and timeout != -1:
            raise ValueError("can't specify a timeout for a non-blocking call")
        if timeout < 0 and timeout != -1:
            raise ValueError("timeout value must be a non-negative number")
        if self._real.acquire(blocking=False):
            return True
        invoked = participant()
        if invoked is None:
            return self._real.acquire(blocking, timeout)
        if not blocking or timeout == 0:
            invoked.read_clock()  # so a loop that tries again and again comes to an end
            return False
        return self._wait(invoked, None if timeout == -1 else timeout)

    def _wait(self, invoked: Participant, seconds: float | None) -> bool:
        waiter = _Waiter()
        self._waiting.append(waiter)
        try:
            invoked.suspend(waiter.arrange, seconds)
        except BaseException:
            if waiter.granted:
                self.release()
            raise
        finally:
            if not waiter.granted:
                self._waiting.remove(waiter)
        return waiter.granted

    def release(self) -> None:
        """Hand the lock to whoever has waited longest, or unlock it."""
        if not self._real.locked():
            raise RuntimeError("release unlocked lock")
        if self._waiting:
            self._waiting.popleft().grant()
        else:
            self._real.release()

    def locked(self) -> bool:
        """Return whether it is taken."""
        return self._real.locked()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def _at_fork_reinit(self) -> None:
        self._real = _REAL_LOCK()
        self._waiting.clear()


_REAL_CLOCK: Callable[[], float] = vars(threading)["_time"]
_REAL_LOCK = _thread.allocate_lock


@attrs.define(eq=False)
class _Waiter:
    granted: bool = False
    _wake: Wake | None = None

    def arrange(self, wake: Wake) -> None:
        self._wake = wake

    def grant(self) -> None:
        self.granted = True
        if self._wake is not None:
            self._wake()


# Replacements ---------------------------------------------------------------------------------------------------------


def thread_patches() -> Iterator[Patch]:
    """Yield the replacements by which threads of handlers run in virtual time."""
    yield from _of_thread_class()
    yield threading, "_time", _clock
    yield queue, "time", _clock
    yield from _of_current_thread()
    for owner, name in ((_thread, "allocate_lock"), (threading, "_allocate_lock"), (threading, "Lock")):
        yield owner, name, Lock
    yield threading, "RLock", _by_caller(vars(threading)["RLock"], vars(threading)["_PyRLock"], participant)
    yield threading, "local", _threading_local.local
    yield queue, "SimpleQueue", vars(queue)["_PySimpleQueue"]
    for name in ("start_new_thread", "start_new"):
        yield _thread, name, _start_function(vars(_thread)[name])
    yield Future, "__init__", _numbered(vars(Future)["__init__"])
    yield Future, "__hash__", _hash
    yield pools, "_threads_queues", _PoolThreads(vars(pools)["_threads_queues"])
    yield pools, "_global_shutdown_lock", _ShutdownLock(vars(pools)["_global_shutdown_lock"])
    yield pools.ThreadPoolExecutor, "_counter", _counter(vars(pools.ThreadPoolExecutor)["_counter"], "pool name", 0)
    yield threading, "_counter", _counter(vars(threading)["_counter"], "thread name", 1)
    yield os, "cpu_count", _by_caller(vars(os)["cpu_count"], lambda: _CPUS, current)
    if hasattr(os, "process_cpu_count"):
        yield os, "process_cpu_count", _by_caller(vars(os)["process_cpu_count"], lambda: _CPUS, current)


def _clock() -> float:
    """Return the seconds of virtual time, for the time limits that `threading` and `queue` keep themselves."""
    invoked = participant()
    return _REAL_CLOCK() if invoked is None else invoked.read_clock() / 1000


def _by_caller(original: Original, ours: Callable[[], object], caller: Callable[[], object]) -> Original:
    def call(*arguments: object, **options: object) -> object:
        return original(*arguments, **options) if caller() is None else ours()

    return call


def _of_thread_class() -> Iterator[Patch]:
    cls = threading.Thread
    start, join, is_alive = cls.start, cls.join, cls.is_alive

    def starts(self: threading.Thread) -> None:
        invoked = participant()
        if invoked is None or vars(self)["_started"].is_set():
            return start(self)  # which refuses to start it again
        vars(self)["_chaosqs_number"] = invoked.threads.number("hash")
        task = invoked.spawn(partial(_run, self), self)
        vars(self)["_chaosqs_task"], vars(self)["_ident"] = task, task.ident
        vars(self)["_started"].set()
        return None

    def joins(self: threading.Thread, timeout: float | None = None) -> None:
        task = _task_of(self)
        if task is None:
            return join(self, timeout)
        if task is greenlet.getcurrent():
            raise RuntimeError("cannot join current thread")
        return task.join(timeout)

    def is_it_alive(self: threading.Thread) -> bool:
        task = _task_of(self)
        return is_alive(self) if task is None else not task.done

    yield cls, "start", starts
    yield cls, "join", joins
    yield cls, "is_alive", is_it_alive
    yield cls, "__hash__", _hash


def _task_of(thread: threading.Thread) -> TaskThread | None:
    task: object = vars(thread).get("_chaosqs_task")
    return task if isinstance(task, TaskThread) else None


def _run(thread: threading.Thread) -> None:
    """Run a thread as `threading` does: an error is printed and ends this thread only."""
    try:
        thread.run()
    except (Ended, KeyboardInterrupt):
        raise
    except BaseException:  # noqa: BLE001 - as `threading` does
        hook = threading.excepthook if current() is None else threading.__excepthook__
        hook(threading.ExceptHookArgs((*sys.exc_info(), thread)))


def _start_function(original: Original) -> object:
    def start(function: Original, arguments: tuple[object, ...], options: Mapping[str, object] | None = None) -> object:
        invoked = participant()
        if invoked is None:
            return original(function, arguments, **({} if options is None else {"kwargs": options}))
        return invoked.spawn(partial(_call, function, arguments, options or {}), None).ident

    return start


def _call(function: Original, arguments: tuple[object, ...], options: Mapping[str, object]) -> None:
    try:
        function(*arguments, **options)
    except (Ended, SystemExit):
        pass
    except BaseException as error:  # noqa: BLE001 - as `_thread` does
        sys.excepthook(type(error), error, error.__traceback__)


def _of_current_thread() -> Iterator[Patch]:
    get_ident, get_current, get_all = threading.get_ident, threading.current_thread, threading.enumerate

    def ident() -> int:
        own = greenlet.getcurrent()
        return own.ident if isinstance(own, TaskThread) else get_ident()

    def thread() -> threading.Thread:
        own = greenlet.getcurrent()
        return own.thread if isinstance(own, TaskThread) and own.thread is not None else get_current()

    def all_threads() -> list[threading.Thread]:
        invoked = participant()
        if invoked is None:
            return get_all()
        real = get_all() if current() is None else [get_current()]
        return [*real, *(task.thread for task in invoked.threads.alive if task.thread is not None)]

    for owner in (threading, _thread):
        yield owner, "get_ident", ident
    for name in ("current_thread", "currentThread"):
        yield threading, name, thread
    yield _threading_local, "current_thread", thread
    yield threading, "enumerate", all_threads
    yield threading, "active_count", lambda: len(all_threads())


# Order of sets: of threads and futures it would depend on their addresses ---------------------------------------------


def _numbered(original: Original) -> object:
    def init(self: object, *arguments: object, **options: object) -> None:
        invoked = participant()
        if invoked is not None:
            vars(self)["_chaosqs_number"] = invoked.threads.number("hash")
        original(self, *arguments, **options)

    return init


def _hash(self: object) -> int:
    number: object = vars(self).get("_chaosqs_number")
    return number if isinstance(number, int) else object.__hash__(self)


def _counter(original: Original, kind: str, first: int) -> object:
    """Number threads and pools for their names by their environment, not by the process."""

    def count(*_: object) -> object:
        invoked = participant()
        return original() if invoked is None else invoked.threads.number(kind) + first

    return count


@attrs.frozen
class _PoolThreads:
    """Replaces the threads of all pools, for which the process waits when it exits."""

    _original: MutableMapping[threading.Thread, object]

    def __iter__(self) -> Iterator[threading.Thread]:
        return iter(self._original)

    def __setitem__(self, thread: threading.Thread, tasks: object) -> None:
        if participant() is None:
            self._original[thread] = tasks


@attrs.frozen
class _ShutdownLock:
    """Replaces the lock that keeps pools from growing while the process exits; no process exits in an invocation."""

    _original: _thread.LockType

    def __enter__(self) -> None:
        if participant() is None:
            self._original.acquire()

    def __exit__(self, *_: object) -> None:
        if participant() is None:
            self._original.release()

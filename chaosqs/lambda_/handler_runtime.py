"""The handler runtime: one invocation of a handler, as Lambda's Python runtime calls it, in virtual time.

Simulations, searches and `chaosqs.aws()` all run handlers with it. Each invocation is a handler task: a greenlet that
the event queue resumes. The task gives way when its handler waits (`time.sleep`, a call, a long poll), so others go on
meanwhile. Code that does not wait takes no virtual time. Either trio's clock or a test takes steps from the queue.

The call is synchronous and must return JSON; the coroutine of an `async def` is none (`Runtime.MarshalError`). A step
of the event queue decides a timeout or a crash at its moment. The code then gets `Ended` raised where it waits, and
later calls have no effect. Threads that the code starts are greenlets of the same task (`threads`).
"""

import ctypes
from collections.abc import Callable
from contextlib import AbstractContextManager
from contextvars import Context, ContextVar, copy_context
from functools import partial
from math import ceil, inf
from sys import get_asyncgen_hooks, set_asyncgen_hooks
from threading import Thread
from typing import NoReturn, TypeVar

import attrs
import greenlet
from sniffio import thread_local

from chaosqs.errors import EscapedSimulation, SimulationError
from chaosqs.kernel.context import stream
from chaosqs.kernel.event_queue import EventQueue
from chaosqs.lambda_.event_loop import running_loop, step_out
from chaosqs.lambda_.execution_environment import LoadError
from chaosqs.lambda_.guards import REAL, call_site, current, enter
from chaosqs.lambda_.invocation import (
    KILLS,
    LONGEST_INITIALISATION,
    Invocation,
    InvocationOutcome,
    killed,
)
from chaosqs.lambda_.output import frames_of, relative
from chaosqs.lambda_.results import Result, exited, judged, load_failed, raised, returned, timed_out
from chaosqs.lambda_.sandbox import Source, source
from chaosqs.lambda_.threads import MOST_THREADS, Ended, TaskThread, Threads, adopt
from chaosqs.sqs.machines.message import uuid

Response = TypeVar("Response")
_MOST_ENDS = 1000
"""Waits that raise `Ended` in code which has to end; then it is left suspended."""
_CHANCE = stream("random numbers of a handler")
READS_A_MILLISECOND = 1000
"""Assumed: number of clock readings that take a millisecond. So a loop that polls the clock comes to an end."""
_EXACT_SPINS, _SPINS_A_STEP = 1000, 50
"""Assumed: a loop that polls the clock waits by 1 ms as often as the first number; then 1 ms longer after each 50 more.
So a loop until a function timeout of 15 minutes ends within seconds."""
DIGITS = 6
"""Decimal places kept of a millisecond: 0.07 s is 70 ms, not the 70.00000000000001 of floating point."""


# Activity: for those who watch that handlers wait now and then --------------------------------------------------------


@attrs.define(eq=False)
class Activity:
    """The handlers of this process."""

    switches: int = 0
    """Increased each time that a handler begins or ceases to run."""
    task: "HandlerTask | None" = None
    """The one that runs now."""


activity = Activity()


# Tasks ----------------------------------------------------------------------------------------------------------------


WATCHERS: list[Callable[[str], object]] = []
"""Called at each switch: with a function's name when its handler's code goes on, with "" when it gives way."""


class GaveUp(TimeoutError):
    """Ends the function of a stub that sleeps for longer than its client waits."""


def until(moment: float, answer: Callable[[], Response]) -> Response:
    """Return an answer; a sleep of its code that lasts until a moment ends there, and the code by `GaveUp`."""
    before = _gives_up.set(moment)
    try:
        return answer()
    finally:
        _gives_up.reset(before)


_gives_up: ContextVar[float] = ContextVar("chaosqs_gives_up", default=inf)
"""Moment at which the client of the call gives up whose stub is running."""


@attrs.define(eq=False, repr=False)
class HandlerTask:
    """One invocation while its handler runs."""

    invocation: Invocation
    event_queue: EventQueue
    sandbox: Callable[[], AbstractContextManager[object]]
    """Context manager around each stretch in which the handler runs."""
    done: Callable[[InvocationOutcome, Result], None]
    """Called in a step of the event queue when the handler has ended."""
    seed: int = 0
    latency: Callable[[int], int] | None = None
    """Returns the milliseconds of a call, given the number of its wait; None: calls take no time."""
    pace: int = 1
    """Factor that lengthens sleeps and calls."""
    root: str = ""
    """Directory that is shown as /var/task in stack traces; empty: none."""
    threads: Threads = attrs.field(factory=Threads)
    """Other threads of the execution environment; those that earlier invocations left go on."""
    code: str = ""
    """Directory of the function's code, from which places in it are named; empty: the working directory."""
    over: bool = False
    """True once the end is decided."""
    chance: Source = attrs.field(init=False)
    _steps: int = 0
    """Calls and waits of the code so far."""
    _waits: int = 0
    _reads: int = 0
    _injected: str = ""
    """Name of the fault that was injected inside of the code, with the place; empty: none."""
    _spins: int = 0
    """Milliseconds that passed because the code kept reading the clock, since its last real wait."""
    failure: BaseException | None = None
    """Error that ends the run."""
    failed_at: str = ""
    """File and line of the call or loop that ends the run, if one does."""
    _cut: bool = False
    """True once the code has to end at its next wait."""
    _ends: int = 0
    """Number of waits after the end of the code."""
    _initialising: bool = False
    _too_long_at: int | None = None
    """Moment at which an initialisation is ended; None: no step for it is to be added."""
    _again: Callable[[], None] | None = None
    """Begins the invocation in a new process, after an initialisation that failed or took too long."""
    _greenlet: greenlet.greenlet | None = None
    _context: Context | None = None
    """Context of the thread that calls the handler."""
    _own: set[greenlet.greenlet] = attrs.field(factory=set[greenlet.greenlet])
    """Greenlets of this invocation: the one that calls the handler, and its other threads."""

    def __attrs_post_init__(self) -> None:
        """Seed the random numbers."""
        self.chance = source((self.seed << 96) + (_CHANCE << 64) + self.invocation.number)

    @property
    def request_id(self) -> str:
        """The id of the invocation."""
        return uuid(b"invocation", self.invocation.number)

    @property
    def remaining(self) -> int:
        """Milliseconds until the function timeout."""
        return self.invocation.begins + self.invocation.limit - self.event_queue.now

    @property
    def duration(self) -> int:
        """Milliseconds that count as the invocation's duration by now."""
        return self.event_queue.now - self.invocation.begins

    # Start and end

    def start(self, call: Callable[[], object], load: Callable[[], object] | None = None) -> None:
        """Call the handler in this step of the event queue, and run it until it waits or is done.

        `load` imports the code of a new environment first, before the duration begins; None: that is done. `call`
        returns the handler's return value. It imports what `load` could not, and may raise `LoadError`.
        """
        run = partial(self._run, call)
        if load is None:
            self._begin()
            self._begin_code(run)
        else:
            self._initialising, self._again = True, run
            if not self.invocation.environment.provisioned:
                self._too_long_at = self.event_queue.now - self.invocation.cold + LONGEST_INITIALISATION
            self._begin_code(partial(self._initialise, load))

    def _begin_code(self, run: Callable[[], None]) -> None:
        """Run code until it waits, with the threads that earlier invocations left."""
        self._greenlet = greenlet.greenlet(run)
        self._greenlet.gr_context = self._context = copy_context()
        self._own = {self._greenlet}
        self.threads.thaw(self._resume_thread, partial(self._soon, self.event_queue))
        self._resume(self._greenlet)

    def _begin(self) -> None:
        """Let the duration begin: now, which is later than planned if an import or a pause took time."""
        self.invocation.begins = self.event_queue.now
        self.event_queue.at(self.invocation.begins + self.invocation.limit, self._time_out)

    def close(self) -> None:
        """End code that still waits when the run is over; it has no effect any more."""
        self.over = True
        self._end_code()

    def _initialise(self, load: Callable[[], object]) -> None:
        """Import the code, then call the handler (LX-12): the body of the greenlet of a new environment.

        If the import fails, it is repeated within the invocation, in a new process.
        """
        enter(self)
        try:
            load()
        except SimulationError as error:
            self._fail(error)
        except Ended:
            pass
        except BaseException:  # noqa: BLE001 - it ends the handler's process, not this one
            self.invocation.initialises = self.invocation.cold
        else:
            run, self._again = self._again, None
            assert run is not None
            self._initialised()
            run()

    def _initialised(self) -> None:
        """End the initialisation; the fault of the invocation counts steps from here on."""
        self._initialising, self._too_long_at = False, None
        self._begin()

    def _initialise_again(self) -> None:
        """Repeat an initialisation that took too long within the invocation, under its timeout (LX-12)."""
        if self._initialising and not self.over:
            self.invocation.initialises = self.invocation.cold
            self._end_code()
            self._restart()

    def _restart(self) -> None:
        """Begin the invocation in a new process if its initialisation has ended without success."""
        run = self._again
        if run is not None and self._greenlet is not None and self._greenlet.dead and not self.over:
            self._end_code()
            self._again, self._cut = None, False
            self._initialised()
            self._begin_code(run)

    def _run(self, call: Callable[[], object]) -> None:
        """Run the whole call: the body of the greenlet."""
        enter(self)
        try:
            if self.invocation.initialises:
                self._pause(self.invocation.initialises)  # LX-14
            result = returned(call(), self.request_id)
        except SimulationError as error:
            self._fail(error)
        except Ended:
            pass
        except LoadError as error:
            self._end(self._placed(load_failed(error, self.request_id, self.root), error.__cause__ or error))
        except BaseException as error:  # noqa: BLE001 - KeyboardInterrupt, too: `watch` keeps Ctrl-C from the code
            self._end(self._placed(raised(error, self.request_id, self.root), error))
        else:
            self._end(result)

    @property
    def place(self) -> str:
        """File and line of the call that the handler makes now: `app/handler.py:12`."""
        return relative(call_site(root=self.code or self.root))

    def _placed(self, result: Result, error: BaseException) -> Result:
        return attrs.evolve(result, frames=frames_of(error, self.code or self.root))

    def _time_out(self) -> None:
        """End the invocation by the function timeout (LX-1, LX-9), as a step of the event queue."""
        if not self.over:
            frame = None if self._greenlet is None else self._greenlet.gr_frame
            place = relative(call_site(frame, self.code or self.root)) if frame is not None else ""
            self._finish(
                attrs.evolve(timed_out(self.request_id, self.invocation.limit), frames=(place,) if place else ())
            )
            self._end_code()

    def _end(self, result: Result) -> None:
        """Take the result of code that ended by itself; too late, it is a timeout."""
        if not self.over:
            late = self.remaining <= 0
            self._finish(timed_out(self.request_id, self.invocation.limit) if late else result)

    def _finish(self, result: Result, outcome: InvocationOutcome | None = None) -> None:
        if outcome is None:
            duration = self.invocation.limit if result.outcome == "timed_out" else self.duration
            outcome = judged(self.invocation, result, duration)
        if self._injected and outcome.outcome in ("succeeded", "timed_out"):
            outcome = attrs.evolve(outcome, fault=self._injected)
        self.over = True
        self.threads.freeze()
        self.event_queue.at(self.event_queue.now, partial(self.done, outcome, result))

    def _fail(self, error: BaseException) -> None:
        """End the run with an error, once, and without its traceback."""
        if self.failure is not None:
            return

        def fail() -> None:
            __tracebackhide__ = True
            raise error.with_traceback(None) from None

        self.over, self.failure = True, error
        self.event_queue.at(self.event_queue.now, fail)

    def _end_code(self) -> None:
        """End all code of this invocation, and the threads of its environment."""
        self._cut = True
        hooks = get_asyncgen_hooks()  # an event loop that is ended sets those that it has met
        with self.sandbox():
            self.threads.close()
        if self._greenlet and self._greenlet in self._own:  # false if it has not begun or has ended
            self._switch(self._greenlet, Ended)
        set_asyncgen_hooks(*hooks)

    # Calls of the handler

    def step(self) -> None:
        """Count a call or wait of the code, before it has an effect; the invocation's fault may be injected there."""
        if self._initialising:
            return
        self._steps += 1
        injected = self.invocation.injected
        if injected is None or injected.step != self._steps or self.over:
            return
        step = "" if injected.exact else f" at call or wait {self._steps},"
        name = injected.name.replace(injected.kind, injected.kind + step, 1)
        self._injected = f"{name}, {call_site(root=self.code)}"
        if injected.kind in KILLS:
            self._finish(exited(self.request_id), attrs.evolve(killed(injected, self.duration), fault=self._injected))
            self.event_queue.at(self.event_queue.now, self._end_code)
            raise Ended
        if injected.kind == "slow":
            self._pause(max(0, self.remaining - 1))
        else:  # the call hangs until the function timeout
            self._wait(lambda _: None)

    def sleep(self, seconds: float) -> None:
        """Suspend this invocation; a fraction of a millisecond counts as a whole one."""
        self.step()
        pause, left = ceil(round(seconds * 1000 * self._factor, DIGITS)), _gives_up.get() - self.event_queue.now
        self._pause(min(pause, max(0, ceil(left))) if left < inf else pause)
        if pause >= left:
            raise GaveUp("timed out")

    @property
    def _factor(self) -> int:
        """Factor that lengthens a wait. A provisioned environment was initialised before: that takes no time (LC-9)."""
        if self._initialising:
            return 0 if self.invocation.environment.provisioned else 1
        return self.pace

    def read_clock(self, readings: int = 1) -> int:
        """Return the milliseconds since the start of the run."""
        self._reads += readings
        if self._reads >= READS_A_MILLISECOND:
            spins = self._spins
            self._pause(1 + max(0, spins - _EXACT_SPINS) // _SPINS_A_STEP)
            self._spins = spins + 1
        return self.event_queue.now

    def call(self) -> None:
        """Let the latency of a call pass."""
        self.step()
        if self.latency is not None:
            self._pause(self.latency(self._waits + 1) * self._factor)

    def response(
        self, ask: Callable[[Callable[[Response], None]], None], cancel: Callable[[], None] | None = None
    ) -> Response:
        """Wait for a response and return it; `ask` gets the callback. `cancel` is called if the code ends before."""
        responses: list[Response] = []

        def arrange(wake: Callable[[], None]) -> None:
            def receive(response: Response) -> None:
                responses.append(response)
                self.event_queue.at(self.event_queue.now, wake, self.invocation.task)

            ask(receive)

        self._wait(arrange, cancel)
        return responses[0]

    def suspend(self, arrange: Callable[[Callable[[], None]], object], seconds: float | None) -> None:
        """Suspend the calling thread until the function that `arrange` gets is called, or until a time is over."""

        def both(wake: Callable[[], None]) -> None:
            arrange(partial(self._soon, self.event_queue, wake))
            if seconds is not None:
                due = self.event_queue.now + ceil(round(seconds * 1000, DIGITS))
                self.event_queue.at(due, wake, self.invocation.task)

        self._wait(both)

    def spawn(self, body: Callable[[], object], thread: Thread | None) -> TaskThread:
        """Start a thread of this invocation in a later step; `thread`: its object, if it has one."""
        self._check()
        if len(self.threads.alive) >= MOST_THREADS:
            raise RuntimeError("can't start new thread")
        own = TaskThread(body, self.threads, thread)
        self._soon(self.event_queue, partial(self.threads.resume, own))
        return own

    def refuse(self, what: str, why: str = REAL) -> None:
        """End the run, as the handler does something that cannot be simulated; the code does not go on."""
        name, site = self.invocation.request.mapping.function, call_site()
        self.abort(EscapedSimulation(f"the handler of {name} {what} at {site}: {why}"), site)

    def exit(self, status: object) -> NoReturn:
        """End the process of the handler (LX-14): no thread of it goes on, and nothing in its code can catch that."""
        left = SystemExit() if status is None else SystemExit(status)
        if self._initialising or self.over:
            raise left
        self._finish(attrs.evolve(raised(left, self.request_id), frames=(self.place,)))
        self.event_queue.at(self.event_queue.now, self._end_code)
        raise Ended

    def abort(self, error: BaseException, site: str, *, for_good: bool = False) -> None:
        """End the run with an error, which no `except` of the handler sees: its code is suspended at `site`.

        `for_good`: it is not even ended with the run, as it might not end.
        """
        if isinstance(error, SimulationError):
            error.function = self.invocation.request.mapping.function
        self._fail(error)
        self.failed_at = site
        own = greenlet.getcurrent()
        if own in self._own and own.parent is not None:
            if for_good:
                self._own.remove(own)
                self.threads.forget(own)
            leave(own.parent)
        raise error

    def runs_here(self) -> bool:
        """Return whether the caller is code of this invocation."""
        return greenlet.getcurrent() in self._own

    # Waits

    def _soon(self, event_queue: EventQueue, step: Callable[[], None]) -> None:
        event_queue.at(event_queue.now, step, self.invocation.task)

    def _pause(self, milliseconds: int) -> None:
        due = self.event_queue.now + milliseconds
        self._wait(lambda wake: self.event_queue.at(due, wake, self.invocation.task))

    def _wait(self, arrange: Callable[[Callable[[], None]], None], cancel: Callable[[], None] | None = None) -> None:
        """Suspend the code until a step calls the function that `arrange` gets; raise `Ended` if the code is ended."""
        own = greenlet.getcurrent()
        if own not in self._own or own.parent is None:
            self.refuse("waits in a thread or a loop of its own")
            return
        self._reads = self._spins = 0
        self._waits += 1
        if self._too_long_at is not None:
            self.event_queue.at(max(self.event_queue.now, self._too_long_at), self._initialise_again)
            self._too_long_at = None
        waiting = True

        def wake() -> None:
            if waiting:
                self._resume(own)

        arrange(wake)
        try:
            self._check()
            leave(own.parent)
        except Ended:
            if cancel is not None:
                cancel()
            raise
        finally:
            waiting = False

    def _check(self) -> None:
        """Raise `Ended` if the code has to end."""
        if not (self.over or self._cut):
            return
        self._ends += 1
        own = greenlet.getcurrent()
        if self._ends > _MOST_ENDS and own.parent is not None:  # it catches whatever ends it
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(own))  # nothing may be raised in it any more
            own.parent.switch()
        raise Ended

    def _resume(self, own: greenlet.greenlet) -> None:
        if isinstance(own, TaskThread):
            self.threads.resume(own)
        else:
            self._switch(own)
            self._restart()

    def _resume_thread(self, own: TaskThread) -> None:
        """Let a thread go on as a part of this invocation."""
        if own not in self._own:
            self._own.add(own)
            if own.gr_context is not None and self._context is not None:
                adopt(own.gr_context, self._context)
        self._switch(own)

    def _switch(self, own: greenlet.greenlet, error: type[BaseException] | None = None) -> None:
        """Run a thread of the handler until it waits or ends; `error`: raise this where it waits."""
        activity.switches += 1
        activity.task = self
        for switched in WATCHERS:
            switched(self.invocation.request.mapping.function)
        with self.sandbox():
            library, thread_local.name = thread_local.name, None  # trio's, in simulations; handlers are not its tasks
            try:
                own.parent = greenlet.getcurrent()
                if error is None:
                    own.switch()
                else:
                    own.throw(error)
            except (greenlet.error, ValueError) as failure:
                message = f"a handler that waits must go on in the thread in which it began: {failure}"
                raise SimulationError(message) from None
            finally:
                thread_local.name = library
                activity.task = None
                for switched in WATCHERS:
                    switched("")
        activity.switches += 1


def leave(driver: greenlet.greenlet) -> None:
    """Let the steps of the event queue go on, until one of them lets this code go on."""
    if running_loop() is None:
        driver.switch()
        return
    step_in = step_out()
    try:
        driver.switch()
    finally:
        step_in()


def within(invocation: Invocation) -> bool:
    """Return whether an environment is initialised within an invocation and its duration (LX-12, LX-14)."""
    return invocation.initialises > 0 or invocation.environment.reset


def current_task() -> HandlerTask | None:
    """Return the task of the handler that calls, or None."""
    task = current()
    return task if isinstance(task, HandlerTask) else None

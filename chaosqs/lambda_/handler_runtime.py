"""The handler runtime: one invocation of a handler, as Lambda's Python runtime calls it, in virtual time.

Simulations, searches and `chaosqs.aws()` all run handlers with it. Each invocation is a handler task: a greenlet that
the event queue resumes. The task gives way when its handler waits (`time.sleep`, a call, a long poll), so others go on
meanwhile. Code that does not wait takes no virtual time. Either trio's clock or a test takes steps from the queue.

The call is synchronous and must return JSON; the coroutine of an `async def` is none (`Runtime.MarshalError`). A step
of the event queue decides a timeout or a crash at its moment. The code then gets `Ended` raised where it waits, and
later calls have no effect. Code that never waits cannot be ended, nor can code that catches `BaseException` around each
wait and goes on.
"""

import inspect
import json
import traceback
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from contextvars import copy_context
from decimal import Decimal
from functools import partial
from itertools import dropwhile
from math import ceil
from typing import TypeVar

import attrs
import greenlet

from chaosqs.errors import EscapedSimulation, SimulationError
from chaosqs.kernel.context import stream
from chaosqs.kernel.event_queue import EventQueue
from chaosqs.lambda_.execution_environment import LoadError, describe, first_line
from chaosqs.lambda_.guards import REAL, call_site, current, enter, is_theirs
from chaosqs.lambda_.invocation import (
    CRASHED,
    KILLS,
    LONGEST_INITIALISATION,
    NOT_INITIALISED,
    RESPONSE_LIMIT,
    TIMED_OUT,
    TOO_LARGE,
    Invocation,
    InvocationOutcome,
    killed,
)
from chaosqs.lambda_.machines.partial_batch import LISTED, judge_error, judge_payload, misread
from chaosqs.lambda_.output import Output, frames_of, relative
from chaosqs.lambda_.sandbox import Source, source
from chaosqs.model.events import Outcome
from chaosqs.sqs.machines.message import message_id, uuid

Response = TypeVar("Response")
_CHANCE = stream("random numbers of a handler")
_READS_A_MILLISECOND = 1000
"""Assumed: number of clock readings that take a millisecond. So a loop that polls the clock comes to an end."""
_DIGITS = 6
"""Decimal places kept of a millisecond: 0.07 s is 70 ms, not the 70.00000000000001 of floating point."""


# Results --------------------------------------------------------------------------------------------------------------


@attrs.frozen
class Result:
    """The end of a handler: what it returned, or an error in the form of Lambda's Python runtime (LX-7 … LX-10)."""

    outcome: Outcome
    """`succeeded`, `raised`, `timed_out` or `crashed`, as in histories."""
    payload: bytes
    error: str = ""
    """Type and message of the error as histories have it, or empty."""
    rule: str = ""
    """Id of the rule by which a return value is an error, or empty."""
    kind: str = ""
    """`errorType` of the payload."""
    message: str = ""
    """`errorMessage` of the payload."""
    trace: tuple[str, ...] = ()
    """`stackTrace` of the payload."""
    frames: tuple[str, ...] = ()
    """Places in the user's code at which it failed, the innermost last: `invoice.py:12 in handler`."""

    @property
    def failed(self) -> bool:
        """True for a function error."""
        return self.outcome != "succeeded"


def returned(value: object, request_id: str) -> Result:
    """Return the result for a handler's return value, which must be JSON of at most `RESPONSE_LIMIT` bytes (LX-5)."""
    if isinstance(value, bytes):
        payload = value
    else:
        try:
            payload = json.dumps(value, default=_decimal).encode()
        except Exception as error:  # noqa: BLE001 - as the runtime does
            if inspect.iscoroutine(value):
                value.close()
            return runtime_error("Runtime.MarshalError", f"Unable to marshal response: {error}", request_id)
    if len(payload) > RESPONSE_LIMIT:
        message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)."
        return _failure("raised", TOO_LARGE, message, TOO_LARGE, rule="LX-5")
    return Result("succeeded", payload)


def explained(outcome: InvocationOutcome, result: Result, output: Output, code: str = "") -> InvocationOutcome:
    """Return an outcome with the places and the output that tell why it failed; others need none.

    `code`: the directory of the function's code.
    """
    if outcome.outcome == "succeeded" and not outcome.failed and not outcome.answer:
        return outcome
    return attrs.evolve(outcome, trace=result.frames, output=output.last(code))


def raised(error: BaseException, request_id: str, root: str = "") -> Result:
    """Return the result for an error that a handler raised; `root`, if any, is shown as /var/task in the stack trace.

    An exception is a function error (LX-7). Anything else ends the handler's process (LX-14), and so does an exception
    whose message cannot be read, as the runtime needs it.
    """
    try:
        text = str(error)
    except Exception as unreadable:  # noqa: BLE001 - whatever a handler's own class does
        return exited(request_id, f"{type(unreadable).__name__} in {type(error).__name__}.__str__", 1)
    if not isinstance(error, Exception):
        return exited(request_id, describe(error), error.code if isinstance(error, SystemExit) else 1)
    return _failure("raised", type(error).__name__, text, describe(error), _stack(error, root), request_id)


def load_failed(error: LoadError, request_id: str, root: str = "") -> Result:
    """Return the result for code that could not be imported: Lambda's runtime reports the error and exits (LX-12)."""
    trace = [] if error.kind == NOT_INITIALISED or error.__cause__ is None else _stack(error.__cause__, root)
    text = f"{error.kind}: {first_line(str(error))}"
    return _failure("crashed", error.kind, str(error), text, trace, request_id)


def _stack(error: BaseException, root: str) -> list[str]:
    frames = list(dropwhile(lambda frame: not is_theirs(frame.filename), traceback.extract_tb(error.__traceback__)))
    lines = [line.removesuffix("\n") for line in traceback.format_list(frames)]
    return [line.replace(root, "/var/task") for line in lines] if root else lines


def runtime_error(kind: str, message: str, request_id: str) -> Result:
    """Return the result for an error of the runtime itself, not of the handler's code."""
    return _failure("raised", kind, message, f"{kind}: {first_line(message)}", (), request_id)


def exited(request_id: str, why: str = "", code: object = None) -> Result:
    """Return the result for a handler that ends its process (LX-14), with an exit code or without one."""
    status = code if isinstance(code, int) else 0 if code is None else 1
    how = f"with error: exit status {status}" if status else "without providing a reason"
    message = f"RequestId: {request_id} Error: Runtime exited {how}"
    return _failure("crashed", CRASHED, message, f"{CRASHED}: {why}" if why else CRASHED)


def timed_out(request_id: str, limit: int) -> Result:
    """Return the result for a handler that the function timeout ended (LX-9); `limit`: milliseconds."""
    message = f"RequestId: {request_id} Error: Task timed out after {limit / 1000:.2f} seconds"
    return _failure("timed_out", TIMED_OUT, message, TIMED_OUT)


def judged(invocation: Invocation, result: Result, duration: int) -> InvocationOutcome:
    """Return the outcome of a result for the invocation's batch, if it has one (PB-1 … PB-12)."""
    request = invocation.request
    reporting = request.mapping.report_batch_item_failures
    numbers = {message_id(number): number for number in request.messages}
    if not numbers:
        rule = {"raised": "LX-7", "timed_out": "LX-9"}.get(result.outcome, "")
        return InvocationOutcome(result.outcome, duration, rule=result.rule or rule, error=result.error)
    if result.outcome == "raised":
        rule = result.rule or judge_error((), reporting=reporting).rule
        return InvocationOutcome("raised", duration, rule=rule, error=result.error)
    if result.failed:
        return InvocationOutcome(result.outcome, duration, error=result.error)
    text, ids = result.payload.decode(errors="replace"), tuple(numbers)
    outcome = judge_payload(text, ids, reporting=reporting)
    failed = outcome.failed
    if not reporting:  # the handler's report counts for the history, although the mapping ignores it (EF-2)
        unread = judge_payload(text, ids, reporting=True)
        failed = unread.failed if unread.rule in (LISTED, "PB-12") else ()
    listed, answer = tuple(numbers[name] for name in failed), misread(text, outcome)
    return InvocationOutcome("succeeded", duration, listed, rule=outcome.rule, answer=answer)


def _failure(  # noqa: PLR0917 - the parts of an error
    outcome: Outcome,
    kind: str,
    message: str,
    error: str,
    trace: Sequence[str] | None = None,
    request_id: str = "",
    rule: str = "",
) -> Result:
    body: dict[str, object] = {"errorMessage": message, "errorType": kind}
    if trace is not None:
        body |= {"requestId": request_id, "stackTrace": list(trace)}
    return Result(outcome, json.dumps(body).encode(), error, rule, kind, message, tuple(trace or ()))


def _decimal(value: object) -> float:
    """Convert a decimal to a number, as the Python runtime does; raise TypeError for any other type."""
    if isinstance(value, Decimal):
        return float(value)
    message = f"Object of type {type(value).__name__} is not JSON serializable"
    raise TypeError(message)


# Tasks ----------------------------------------------------------------------------------------------------------------


WATCHERS: list[Callable[[str], object]] = []
"""Called at each switch: with a function's name when its handler's code goes on, with "" when it gives way."""


class Ended(BaseException):
    """Raised inside a handler that is ended: by its timeout, by the death of its environment, or with the run."""


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
    code: str = ""
    """Directory of the function's code, from which places in it are named; empty: the working directory."""
    over: bool = False
    """True once the end is decided."""
    chance: Source = attrs.field(init=False)
    _steps: int = 0
    """Calls and waits of the code so far."""
    _waits: int = 0
    _reads: int = 0
    _struck: str = ""
    """Name of the fault that has struck inside of the code, with the place; empty: none."""
    _failed: bool = False
    _cut: bool = False
    """True once the code has to end at its next wait."""
    _initialising: bool = False
    _too_long_at: int | None = None
    """Moment at which an initialisation is ended; None: no step for it is to be added."""
    _again: Callable[[], None] | None = None
    """Begins the invocation in a new process, after an initialisation that failed or took too long."""
    _greenlet: greenlet.greenlet | None = None

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
            self._spawn(run)
        else:
            self._initialising, self._again = True, run
            if not self.invocation.environment.provisioned:
                self._too_long_at = self.event_queue.now - self.invocation.cold + LONGEST_INITIALISATION
            self._spawn(partial(self._initialise, load))
        self._resume()

    def _spawn(self, run: Callable[[], None]) -> None:
        self._greenlet = greenlet.greenlet(run)
        self._greenlet.gr_context = copy_context()

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
        except (SimulationError, KeyboardInterrupt) as error:
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
            self._again, self._cut = None, False
            self._initialised()
            self._spawn(run)
            self._resume()

    def _run(self, call: Callable[[], object]) -> None:
        """Run the whole call: the body of the greenlet."""
        enter(self)
        try:
            if self.invocation.initialises:
                self._pause(self.invocation.initialises)  # LX-14
            result = returned(call(), self.request_id)
        except (SimulationError, KeyboardInterrupt) as error:
            self._fail(error)
        except Ended:
            pass
        except LoadError as error:
            self._end(self._placed(load_failed(error, self.request_id, self.root), error.__cause__ or error))
        except BaseException as error:  # noqa: BLE001 - it ends the handler's process, not this one
            self._end(self._placed(raised(error, self.request_id, self.root), error))
        else:
            self._end(result)

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
        if self._struck and outcome.outcome in ("succeeded", "timed_out"):
            outcome = attrs.evolve(outcome, fault=self._struck)
        self.over = True
        self.event_queue.at(self.event_queue.now, partial(self.done, outcome, result))

    def _fail(self, error: BaseException) -> None:
        """End the run with an error, once, and without its traceback."""
        if self._failed:
            return

        def fail() -> None:
            raise error.with_traceback(None) from None

        self.over = self._failed = True
        self.event_queue.at(self.event_queue.now, fail)

    def _end_code(self) -> None:
        self._cut = True
        if self._greenlet and not self._greenlet.dead:  # false: it has not begun
            self._switch(partial(self._greenlet.throw, Ended))

    # Calls of the handler

    def step(self) -> None:
        """Count a call or wait of the code, before it has an effect; the invocation's fault may strike there."""
        if self._initialising:
            return
        self._steps += 1
        injected = self.invocation.injected
        if injected is None or injected.step != self._steps or self.over:
            return
        self._struck = f"{injected.name}, {call_site(root=self.code)}" if injected.exact else injected.name
        if injected.kind in KILLS:
            outcome = killed(injected, self.duration)
            self._finish(exited(self.request_id), attrs.evolve(outcome, fault=self._struck))
            self.event_queue.at(self.event_queue.now, self._end_code)
        if injected.kind == "slow":
            self._pause(max(0, self.remaining - 1))
        else:  # the code hangs until the function timeout or until its environment is gone
            self._wait(lambda _: None)

    def sleep(self, seconds: float) -> None:
        """Suspend this invocation; a fraction of a millisecond counts as a whole one."""
        self.step()
        self._pause(ceil(round(seconds * 1000 * self._factor, _DIGITS)))

    @property
    def _factor(self) -> int:
        """Factor that lengthens a wait. A provisioned environment was initialised before: that takes no time (LC-9)."""
        if self._initialising:
            return 0 if self.invocation.environment.provisioned else 1
        return self.pace

    def read_clock(self) -> int:
        """Return the milliseconds since the start of the run."""
        self._reads += 1
        if self._reads >= _READS_A_MILLISECOND:
            self._pause(1)
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

    def refuse(self, what: str, why: str = REAL) -> None:
        """End the run, as the handler does something that cannot be simulated."""
        name = self.invocation.request.mapping.function
        error = EscapedSimulation(f"the handler of {name} {what} at {call_site()}: {why}")
        self._fail(error)
        raise error

    def _pause(self, milliseconds: int) -> None:
        due = self.event_queue.now + milliseconds
        self._wait(lambda wake: self.event_queue.at(due, wake, self.invocation.task))

    def _wait(self, arrange: Callable[[Callable[[], None]], None], cancel: Callable[[], None] | None = None) -> None:
        """Suspend the code until a step calls the function that `arrange` gets; raise `Ended` if the code is ended."""
        own = self._greenlet
        if own is None or greenlet.getcurrent() is not own or own.parent is None:
            self.refuse("waits in a thread or a loop of its own")
            return
        self._reads = 0
        self._waits += 1
        if self._too_long_at is not None:
            self.event_queue.at(max(self.event_queue.now, self._too_long_at), self._initialise_again)
            self._too_long_at = None
        waiting = True

        def wake() -> None:
            if waiting:
                self._resume()

        arrange(wake)
        try:
            self._give_way(own.parent)
        except Ended:
            if cancel is not None:
                cancel()
            raise
        finally:
            waiting = False

    def _give_way(self, driver: greenlet.greenlet) -> None:
        if self._cut:
            raise Ended
        driver.switch()

    def _resume(self) -> None:
        if self._greenlet is not None:
            self._switch(self._greenlet.switch)
            self._restart()

    def _switch(self, how: Callable[[], object]) -> None:
        assert self._greenlet is not None
        for switched in WATCHERS:
            switched(self.invocation.request.mapping.function)
        with self.sandbox():
            try:
                self._greenlet.parent = greenlet.getcurrent()
                how()
            except (greenlet.error, ValueError) as error:
                message = f"a handler that waits must go on in the thread in which it began: {error}"
                raise SimulationError(message) from None
            finally:
                for switched in WATCHERS:
                    switched("")


def within(invocation: Invocation) -> bool:
    """Return whether an environment is initialised within an invocation and its duration (LX-12, LX-14)."""
    return invocation.initialises > 0 or invocation.environment.reset


def current_task() -> HandlerTask | None:
    """Return the task of the handler that calls, or None."""
    task = current()
    assert task is None or isinstance(task, HandlerTask)
    return task


@attrs.define(eq=False)
class Waits:
    """Waits in virtual time: a handler is suspended until a step wakes it; a test takes the steps itself."""

    event_queue: EventQueue
    latency: int = 0
    """Milliseconds that each call takes."""
    _reads: int = 0

    @property
    def task(self) -> HandlerTask | None:
        """Task of the handler that calls; None for the test itself and for other threads."""
        task = current_task()
        return task if task is not None and task.event_queue is self.event_queue else None

    def response(
        self, ask: Callable[[Callable[[Response], None]], None], cancel: Callable[[], None] | None = None
    ) -> Response:
        """Wait for a response and return it. `ask` and `cancel` as for `HandlerTask.response`."""
        task = self.task
        if task is not None:
            return task.response(ask, cancel)
        responses: list[Response] = []
        ask(responses.append)
        while not responses:
            self.event_queue.take()()
        return responses[0]

    def sleep(self, seconds: float) -> None:
        """Let time pass for the caller; a fraction of a millisecond counts as a whole one."""
        task = self.task
        if task is not None:
            return task.sleep(seconds)
        self._reads = 0
        until = self.event_queue.now + ceil(round(seconds * 1000, _DIGITS))
        while self.event_queue.next_due() <= until:
            self.event_queue.take()()
        self.event_queue.now = until
        return None

    def call(self) -> None:
        """Let the latency of a call pass for the caller."""
        if self.latency:
            self.sleep(self.latency / 1000)

    def read_clock(self) -> int:
        """Return the milliseconds since the start, for a test that reads the clock; as `HandlerTask.read_clock`."""
        self._reads += 1
        if self._reads >= _READS_A_MILLISECOND:
            self.sleep(0.001)
        return self.event_queue.now

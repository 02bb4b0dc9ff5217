"""One invocation of a handler: it runs as a fiber, from START to REPORT, and ends when it returns or its time is over.

It occupies its execution for the virtual time that it takes: what it sleeps, and what it waits in long polls. Anything
else takes none. So two invocations overlap where the first one waits, and follow each other where it does not.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial

import attrs

from chaosqs.errors import SimulationError
from chaosqs.kernel.event_queue import EventQueue
from chaosqs.lambda_.handler import LambdaContext
from chaosqs.lambda_.invocation import Invocation, InvocationOutcome, Request
from chaosqs.lambda_.machines.partial_batch import Outcome, judge_error, judge_payload
from chaosqs.lambda_.machines.recursion_guard import trace_header
from chaosqs.lambda_.sandbox import Source, enter, source, worn
from chaosqs.mock_aws.lambda_api.code import InProcess, Loaded, LoadError, Package
from chaosqs.mock_aws.lambda_api.fibers import Ended, Fiber, Fibers
from chaosqs.mock_aws.lambda_api.resources import Deployed, Version
from chaosqs.mock_aws.lambda_api.result import Output, Pipe, Result, exited, not_loaded, raised, returned, timed_out
from chaosqs.model.time import milliseconds
from chaosqs.sqs.machines.message import Message, message_id, uuid
from chaosqs.wire.http import turns

# What is replaced around a handler while it runs, and put back whenever it waits or ends. ----------------------------
#
# * Time, chance and threads, as in simulations (`disguise`).
# * What it prints or logs goes to the logs of its function, in the format of Lambda's Python runtime.
# * The environment variables are those of the function.
#
# One stretch runs at a time, whichever worlds and threads there are.

_ONE_AT_A_TIME = turns()


class Formatter(logging.Formatter):
    """Writes log records as Lambda's Python runtime does."""

    def __init__(self, request_id: str, stamp: Callable[[], str]) -> None:
        """Take the id of the invocation, and what says the present moment."""
        super().__init__()
        self._request_id, self._stamp = request_id, stamp

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, or more with a traceback."""
        text = f"[{record.levelname}]\t{self._stamp()}\t{self._request_id}\t{record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


@attrs.frozen(eq=False)
class Surroundings:
    """What one invocation finds around it."""

    epoch: int
    output: Output
    variables: Mapping[str, str]
    module: str
    """The module of the handler, where that is one of this process; or empty."""
    log: logging.Handler

    @contextmanager
    def __call__(self) -> Generator[None]:
        """Put it all up, and take it down."""
        with ExitStack() as stack:
            stack.enter_context(_ONE_AT_A_TIME)
            pipe = Pipe(self.output)
            for name in ("stdout", "stderr"):
                stack.enter_context(_swapped(sys, name, pipe))
            cover = stack.enter_context(worn(self.epoch))
            if self.module in sys.modules:
                cover(self.module)
            stack.enter_context(_environment(self.variables))
            logging.root.addHandler(self.log)
            stack.callback(logging.root.removeHandler, self.log)
            yield


@contextmanager
def _swapped(owner: object, name: str, value: object) -> Generator[None]:
    """Replace an attribute for a while."""
    before: object = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)


@contextmanager
def _environment(variables: Mapping[str, str]) -> Generator[None]:
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def logging_to(output: Output, request_id: str, stamp: Callable[[], str]) -> logging.Handler:
    """Return the handler of log records of one invocation."""
    handler = logging.StreamHandler(Pipe(output))
    handler.setFormatter(Formatter(request_id, stamp))
    return handler


# ---------------------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class Call:
    """What is to be performed."""

    version: Version
    arn: str
    """As it was invoked."""
    region: str
    request_id: str
    payload: str
    """The event, as JSON."""
    trace: str
    """The trace header that botocore passes on with every call (LX-16)."""
    number: int
    """Which invocation of its Region it is."""
    cold: bool
    begins: int


@attrs.define(eq=False)
class Performance:
    """One invocation of a handler."""

    call: Call
    event_queue: EventQueue
    fibers: Fibers
    epoch: int
    loaded: Loaded
    output: Output
    stamp: Callable[[], str]
    done: Callable[[Result], None]
    """Called when it has ended, as a step of the event queue."""
    result: Result | None = None
    chance: Source = attrs.field(init=False)
    """Where its random numbers come from."""
    fiber: Fiber = attrs.field(init=False)
    surroundings: Surroundings = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Set the stage."""
        log = logging_to(self.output, self.call.request_id, self.stamp)
        code = self.call.version.code
        module = code.module if isinstance(code, InProcess) else ""
        self.surroundings = Surroundings(self.epoch, self.output, self._variables(), module, log)
        self.chance = source(self.call.number)
        self.fiber = Fiber(self.fibers, self._work, self._around)

    def start(self) -> None:
        """Begin, and run until the handler waits or is done."""
        version = self.call.version
        self.output.line(f"START RequestId: {self.call.request_id} Version: {version.number}")
        self.event_queue.at(self.call.begins + version.configuration.timeout * 1000, self._time_out)
        self.fiber.resume()

    def end(self) -> None:
        """Let go of a handler that still runs when the world closes."""
        if self.result is None:
            self.result = exited(self.call.request_id)
            self.fiber.end()

    # What the handler sees of time and chance (`disguise.Here`)

    def sleep(self, seconds: float) -> None:
        """Suspend this invocation."""
        self.fibers.sleep(milliseconds(seconds))

    def read_clock(self) -> int:
        """Return the milliseconds since the world opened."""
        return self.event_queue.now

    def refuse(self, what: str) -> None:
        """Refuse what cannot be simulated."""
        message = f"the handler of {self.call.version.function} {what}: handlers may not in chaosqs.aws()"
        raise SimulationError(message)

    # How it goes

    @contextmanager
    def _around(self) -> Generator[None]:
        with self.loaded.active(), self.surroundings():
            yield

    def _work(self) -> None:
        """Be the handler's own greenlet."""
        enter(self)
        try:
            result = self._played()
        except Ended:
            return
        except LoadError as error:
            result = not_loaded(error.kind, str(error), self.call.request_id)
        except SimulationError:
            raise
        except SystemExit:
            result = exited(self.call.request_id)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is a function error (LX-7)
            root = str(self.loaded.root) if isinstance(self.loaded, Package) else "\0"
            result = raised(error, self.call.request_id, root)
        if self.result is None:
            self.result = result
            self.event_queue.at(self.event_queue.now, partial(self._finish, result))

    def _played(self) -> Result:
        version = self.call.version
        handler = self.loaded.handler(version.configuration.handler)
        event: object = json.loads(self.call.payload)
        return returned(handler(event, self._context()), self.call.request_id)

    def _time_out(self) -> None:
        """End it (LX-1, LX-9)."""
        if self.result is None:
            self.result = result = timed_out(self.call.request_id, self.call.version.configuration.timeout)
            self.fiber.end()
            self._finish(result)

    def _finish(self, result: Result) -> None:
        call, configuration = self.call, self.call.version.configuration
        taken = self.event_queue.now - call.begins
        self.output.flush()
        if result.outcome == "timed_out":
            message = f"Task timed out after {configuration.timeout:.2f} seconds"
            self.output.line(f"{self.stamp()} {call.request_id} {message}")
        elif result.failed:
            self._print_error(result)
        self.output.line(f"END RequestId: {call.request_id}")
        cold = "\tInit Duration: 0.00 ms" if call.cold else ""
        self.output.line(
            f"REPORT RequestId: {call.request_id}\tDuration: {taken:.2f} ms\tBilled Duration: {max(1, taken)} ms\t"
            f"Memory Size: {configuration.memory} MB\tMax Memory Used: {configuration.memory // 2} MB{cold}\t"
        )
        self.done(result)

    def _print_error(self, result: Result) -> None:
        body = json.loads(result.payload)
        self.output.line(f"[ERROR] {body['errorType']}: {body['errorMessage']}")
        trace = body.get("stackTrace")
        if trace:
            self.output.write("Traceback (most recent call last):\n" + "".join(f"{line}\n" for line in trace))

    def _context(self) -> LambdaContext:
        version, ends = self.call.version, self.call.begins + self.call.version.configuration.timeout * 1000
        return LambdaContext(
            function_name=version.function,
            function_version=version.number,
            invoked_function_arn=self.call.arn,
            memory_limit_in_mb=str(version.configuration.memory),
            aws_request_id=self.call.request_id,
            log_group_name=f"/aws/lambda/{version.function}",
            log_stream_name=f"{self.stamp()[:10].replace('-', '/')}/[{version.number}]{version.revision[:32]}",
            remaining=lambda: ends - self.event_queue.now,
        )

    def _variables(self) -> dict[str, str]:
        version = self.call.version
        return {
            "AWS_REGION": self.call.region,
            "AWS_DEFAULT_REGION": self.call.region,
            "AWS_LAMBDA_FUNCTION_NAME": version.function,
            "AWS_LAMBDA_FUNCTION_VERSION": version.number,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(version.configuration.memory),
            "_X_AMZN_TRACE_ID": self.call.trace,
            "_HANDLER": version.configuration.handler,
            **dict(version.configuration.variables),
        }


# Where handlers are performed: it finds the version that is meant, the environment's code and the event. -------------


@attrs.frozen(eq=False)
class Target:
    """What a request invokes, with what."""

    function: Deployed
    version: Version
    arn: str
    region: str
    payload: str
    messages: tuple[Message, ...]
    """The batch; empty where somebody invokes."""


@attrs.define(eq=False)
class Stage:
    """All handlers of one Region that run; the simulator's Lambda hands it its invocations."""

    event_queue: EventQueue
    fibers: Fibers
    epoch: int
    stamp: Callable[[], str]
    target: Callable[[Request], Target]
    ended: dict[int, tuple[Result, Output]] = attrs.field(factory=dict[int, "tuple[Result, Output]"])
    """By number: how invocations ended whose caller has not asked yet."""
    _running: dict[int, Performance] = attrs.field(factory=dict[int, Performance])
    _loaded: dict[tuple[int, int], Loaded] = attrs.field(factory=dict[tuple[int, int], Loaded])
    """The code in each environment of each version."""

    def plays(self, function: str) -> bool:
        """Every function here is real code."""
        del function
        return True

    def begin(self, invocation: Invocation, done: Callable[[InvocationOutcome], None]) -> None:
        """Hand the batch to the handler; `done` is called, as a step of the event queue, when that has come to an end."""
        target, number = self.target(invocation.request), invocation.number
        output = Output(target.function.states)
        key = id(target.version.code), invocation.environment.number
        cold = key not in self._loaded
        loaded = self._loaded[key] = target.version.code.load() if cold else self._loaded[key]
        request_id = uuid(b"invocation", number)
        trace = trace_header(request_id, target.messages, target.function.name)
        call = Call(
            target.version,
            target.arn,
            target.region,
            request_id,
            target.payload,
            trace,
            number,
            cold,
            self.event_queue.now,
        )
        ended = partial(self._end, invocation, done, key, output)
        self._running[number] = performance = Performance(
            call, self.event_queue, self.fibers, self.epoch, loaded, output, self.stamp, ended
        )
        performance.start()

    def close(self) -> None:
        """End what still runs: the world closes."""
        for performance in list(self._running.values()):
            performance.end()
        self._running.clear()

    def _end(
        self,
        invocation: Invocation,
        done: Callable[[InvocationOutcome], None],
        key: tuple[int, int],
        output: Output,
        result: Result,
    ) -> None:
        request, taken = invocation.request, self.event_queue.now - invocation.begins
        del self._running[invocation.number]
        if not request.mapping.queue:
            self.ended[invocation.number] = result, output
        if result.outcome in ("timed_out", "crashed"):
            del self._loaded[key]  # LX-14
        outcome = _judged(request, result)
        failed = () if result.failed else _numbers(request, outcome)
        done(InvocationOutcome(result.outcome, taken, failed, rule=result.rule or outcome.rule, error=result.error))


def _judged(request: Request, result: Result) -> Outcome:
    """Return what a result means for a batch (PB-1 … PB-12); an invocation of its own has none."""
    ids, reporting = [message_id(number) for number in request.messages], request.mapping.report_batch_item_failures
    if result.failed:
        return judge_error(ids, reporting=reporting)
    if not ids:
        return Outcome(all_failed=False, failed=(), rule="")
    return judge_payload(result.payload.decode(errors="replace"), ids, reporting=reporting)


def _numbers(request: Request, outcome: Outcome) -> tuple[int, ...]:
    failed = frozenset(outcome.failed)
    return tuple(number for number in request.messages if message_id(number) in failed)

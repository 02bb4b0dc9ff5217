"""One invocation of a handler: it runs as a fiber, from START to REPORT, and ends when it returns or its time is over.

It occupies its execution for the virtual time that it takes: what it sleeps, and what it waits in long polls. Anything
else takes none. So two invocations overlap where the first one waits, and follow each other where it does not.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial

import attrs

from chaosqs.errors import SimulationError
from chaosqs.model.time import milliseconds
from chaosqs.simulator.agenda import Agenda
from chaosqs.simulator.control.code import InProcess, Loaded, LoadError, Package
from chaosqs.simulator.control.deployed import Version
from chaosqs.simulator.control.fibers import Ended, Fiber, Fibers
from chaosqs.simulator.control.output import Output
from chaosqs.simulator.control.result import Result, exited, not_loaded, raised, returned, timed_out
from chaosqs.simulator.control.surroundings import Surroundings, logging_to
from chaosqs.simulator.disguise import Source, enter, source
from chaosqs.simulator.lambda_context import LambdaContext


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
    agenda: Agenda
    fibers: Fibers
    epoch: int
    loaded: Loaded
    output: Output
    stamp: Callable[[], str]
    done: Callable[[Result], None]
    """Called when it has ended, as a step of the agenda."""
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
        self.agenda.at(self.call.begins + version.configuration.timeout * 1000, self._time_out)
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
        return self.agenda.now

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
            self.agenda.at(self.agenda.now, partial(self._finish, result))

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
        taken = self.agenda.now - call.begins
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
            remaining=lambda: ends - self.agenda.now,
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

"""The handlers of one Region: their invocations, execution environments and output."""

import io
import json
import logging
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

import attrs

from chaosqs.kernel.event_queue import EventQueue
from chaosqs.lambda_.execution_environment import ExecutionEnvironment, FunctionFacts, Handler
from chaosqs.lambda_.handler_runtime import HandlerTask, Result, within
from chaosqs.lambda_.invocation import Invocation, InvocationOutcome, Request
from chaosqs.lambda_.machines.recursion_guard import trace_header
from chaosqs.lambda_.sandbox import Sandbox
from chaosqs.mock_aws.lambda_api.code import Code, Zip
from chaosqs.mock_aws.lambda_api.resources import Deployed, Version
from chaosqs.sqs.machines.message import Message, uuid

# The output of functions: one log for each function, as in CloudWatch Logs, and the lines of each invocation ----------


@attrs.define(eq=False)
class Output:
    """The output of one invocation."""

    log: list[str]
    """Lines of all invocations of the function."""
    request_id: str
    stamp: Callable[[], str]
    """Returns the present moment in the format of Lambda's logs."""
    own: list[str] = attrs.field(factory=list[str])
    """Lines of this invocation."""
    _started: str = ""

    def write(self, text: str) -> None:
        """Add printed text; an unfinished line is kept back until it ends."""
        *whole, self._started = (self._started + text).split("\n")
        for entry in whole:
            self.add(entry)

    def add(self, entry: str) -> None:
        """Add a line."""
        self.log.append(entry)
        self.own.append(entry)

    def text(self) -> str:
        """Return the output of this invocation."""
        return "".join(f"{entry}\n" for entry in self.own)

    @contextmanager
    def captured(self) -> Generator[None]:
        """Capture printed and logged text within a `with` block."""
        streams = sys.stdout, sys.stderr
        sys.stdout = sys.stderr = _Pipe(self)
        logging.root.addHandler(_LOG)
        try:
            yield
        finally:
            logging.root.removeHandler(_LOG)
            sys.stdout, sys.stderr = streams

    def log_here(self) -> None:
        """Send the log records of the present context here."""
        _output.set(self)

    def start(self, version: str) -> None:
        """Write Lambda's first line."""
        self.add(f"START RequestId: {self.request_id} Version: {version}")

    def end(self, result: Result, taken: int, memory: int, *, cold: bool) -> None:
        """Write Lambda's last lines; `taken`: milliseconds, `memory`: MB."""
        if self._started:
            self.write("\n")
        if result.outcome == "timed_out":
            self.add(f"{self.stamp()} {self.request_id} {result.message.partition('Error: ')[2]}")
        elif result.failed:
            self.add(f"[ERROR] {result.kind}: {result.message}")
        if result.trace:
            self.write("Traceback (most recent call last):\n" + "".join(f"{line}\n" for line in result.trace))
        self.add(f"END RequestId: {self.request_id}")
        initialised = "\tInit Duration: 0.00 ms" if cold else ""
        self.add(
            f"REPORT RequestId: {self.request_id}\tDuration: {taken:.2f} ms\tBilled Duration: {max(1, taken)} ms\t"
            f"Memory Size: {memory} MB\tMax Memory Used: {memory // 2} MB{initialised}\t"
        )


_output: ContextVar[Output | None] = ContextVar("chaosqs_output", default=None)


class _Log(logging.Handler):
    """Writes log records as Lambda's Python runtime does, to the output of the invocation that logs."""

    def emit(self, record: logging.LogRecord) -> None:
        output = _output.get()
        if output is not None:
            text = f"[{record.levelname}]\t{output.stamp()}\t{output.request_id}\t{record.getMessage()}"
            if record.exc_info:
                text += "\n" + _TRACEBACKS.formatException(record.exc_info)
            output.write(f"{text}\n")


_LOG, _TRACEBACKS = _Log(), logging.Formatter()


class _Pipe(io.TextIOBase):
    """Replaces `sys.stdout` and `sys.stderr` while a handler runs."""

    def __init__(self, output: Output) -> None:
        super().__init__()
        self._output = output

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self._output.write(text)
        return len(text)


# Invocations ----------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class Target:
    """The version that a request invokes, and its payload."""

    function: Deployed
    version: Version
    arn: str
    region: str
    payload: str
    messages: tuple[Message, ...]
    """The batch; empty for an invocation without a mapping."""


@attrs.define(eq=False, repr=False)
class RegionHandlers:
    """Runs all handlers of one Region: the `HandlerRuntime` of the Region's `Lambda`."""

    event_queue: EventQueue
    stamp: Callable[[], str]
    target: Callable[[Request], Target]
    sandbox: Sandbox
    ended: dict[int, tuple[Result, Output]] = attrs.field(factory=dict[int, "tuple[Result, Output]"])
    """Results of direct invocations whose callers have not taken them yet, by invocation number."""
    _running: dict[int, HandlerTask] = attrs.field(factory=dict[int, HandlerTask])
    _environments: dict[tuple[int, int], ExecutionEnvironment] = attrs.field(
        factory=dict[tuple[int, int], ExecutionEnvironment]
    )
    """Execution environments, by the identity of their code and their number."""

    def handles(self, function: str) -> bool:
        """Return True: every function here is real code."""
        del function
        return True

    def begin(self, invocation: Invocation, done: Callable[[InvocationOutcome], None]) -> None:
        """Hand the batch to the handler in this step of the event queue; another step calls `done` at the end."""
        target = self.target(invocation.request)
        version, key = target.version, (id(target.version.code), invocation.environment.number)
        invocation.limit = version.configuration.timeout * 1000
        facts, cold = _facts(target, invocation.environment.number), key not in self._environments
        if cold:
            begin = partial(version.code.begin, version.configuration.handler)
            self._environments[key] = ExecutionEnvironment(begin, facts)
        environment = self._environments[key]
        output = Output(target.function.logs, uuid(b"invocation", invocation.number), self.stamp)
        around = partial(self._around, version.code, environment, output)
        end = partial(self._end, invocation, done, key, output, target, cold)
        root = version.code.root if isinstance(version.code, Zip) else ""
        task = HandlerTask(invocation, self.event_queue, around, end, root=root)
        self._running[invocation.number] = task
        environment.trace = trace_header(task.request_id, target.messages, target.function.name)
        context = facts.context(task.request_id, lambda: task.remaining)

        def load() -> Handler:
            output.log_here()
            return environment.load()

        def call() -> object:
            return load()(json.loads(target.payload), context)

        output.start(version.number)
        task.start(call, None if environment.is_loaded or within(invocation) else load)

    def close(self) -> None:
        """End all running handlers."""
        for task in list(self._running.values()):
            task.close()
        self._running.clear()

    @contextmanager
    def _around(self, code: Code, environment: ExecutionEnvironment, output: Output) -> Generator[None]:
        """Surround one stretch in which a handler runs."""
        with self.sandbox(*code.modules), output.captured(), environment.active():
            yield

    def _end(  # noqa: PLR0917 - the parts of an invocation
        self,
        invocation: Invocation,
        done: Callable[[InvocationOutcome], None],
        key: tuple[int, int],
        output: Output,
        target: Target,
        cold: bool,  # noqa: FBT001 - as above
        outcome: InvocationOutcome,
        result: Result,
    ) -> None:
        taken = self.event_queue.now - invocation.begins
        output.end(result, taken, target.version.configuration.memory, cold=cold)
        del self._running[invocation.number]
        if not invocation.request.mapping.queue:
            self.ended[invocation.number] = result, output
        if result.outcome in ("timed_out", "crashed"):
            del self._environments[key]  # LX-14
        done(outcome)


def _facts(target: Target, environment: int) -> FunctionFacts:
    version, configuration = target.version, target.version.configuration
    return FunctionFacts(
        name=version.function,
        arn=target.arn,
        region=target.region,
        memory=configuration.memory,
        handler=configuration.handler,
        root=version.code.root,
        environment=environment,
        version=version.number,
        variables=dict(configuration.variables),
    )

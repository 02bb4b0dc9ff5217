"""The handlers of one Region: their invocations, execution environments and output."""

import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Self

import attrs

from chaosqs.kernel.event_queue import EventQueue
from chaosqs.lambda_.execution_environment import ExecutionEnvironment, FunctionFacts, Handler
from chaosqs.lambda_.handler_runtime import HandlerTask, within
from chaosqs.lambda_.invocation import Invocation, InvocationOutcome, Request
from chaosqs.lambda_.machines.recursion_guard import trace_header
from chaosqs.lambda_.output import Lines, Output
from chaosqs.lambda_.results import Result, explained
from chaosqs.lambda_.sandbox import Sandbox
from chaosqs.lambda_.watch import watched
from chaosqs.mock_aws.lambda_api.code import Code, Zip
from chaosqs.mock_aws.lambda_api.resources import Deployed, Version
from chaosqs.sqs.machines.message import Message, uuid

# The output of functions: one log for each function, as in CloudWatch Logs, and the lines of each invocation ----------


@attrs.define(eq=False)
class InvocationLog:
    """The output of one invocation in the log of its function, with Lambda's own lines."""

    request_id: str
    stamp: Callable[[], str]
    """Returns the present moment in the format of Lambda's logs."""
    output: Output

    @classmethod
    def of(cls, log: Lines, request_id: str, stamp: Callable[[], str]) -> Self:
        """Return the log of an invocation; `log`: the lines of all invocations of the function."""
        return cls(request_id, stamp, Output(lambda level: f"[{level}]\t{stamp()}\t{request_id}\t", log))

    def start(self, version: str) -> None:
        """Write Lambda's first line."""
        self.output.add(f"START RequestId: {self.request_id} Version: {version}")

    def end(self, result: Result, taken: int, memory: int, *, cold: bool) -> None:
        """Write Lambda's last lines; `taken`: milliseconds, `memory`: MB."""
        output = self.output
        output.finish()
        if result.outcome == "timed_out":
            output.add(f"{self.stamp()} {self.request_id} {result.message.partition('Error: ')[2]}")
        elif result.failed:
            output.add(f"[ERROR] {result.kind}: {result.message}")
        if result.trace:
            output.write("Traceback (most recent call last):\n" + "".join(f"{line}\n" for line in result.trace))
        output.add(f"END RequestId: {self.request_id}")
        initialised = "\tInit Duration: 0.00 ms" if cold else ""
        output.add(
            f"REPORT RequestId: {self.request_id}\tDuration: {taken:.2f} ms\tBilled Duration: {max(1, taken)} ms\t"
            f"Memory Size: {memory} MB\tMax Memory Used: {memory // 2} MB{initialised}\t"
        )


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
        log = InvocationLog.of(target.function.logs, uuid(b"invocation", invocation.number), self.stamp)
        around = partial(self._around, version.code, environment, log.output)
        end = partial(self._end, invocation, done, key, log, target, cold)
        root = version.code.root if isinstance(version.code, Zip) else ""
        task = HandlerTask(invocation, self.event_queue, around, end, root=root, threads=environment.threads)
        self._running[invocation.number] = task
        environment.trace = trace_header(task.request_id, target.messages, target.function.name)
        context = facts.context(task.request_id, lambda: task.remaining)

        def load() -> Handler:
            log.output.here()
            return environment.load()

        def call() -> object:
            return load()(json.loads(target.payload), context)

        log.start(version.number)
        task.start(call, None if environment.is_loaded or within(invocation) else load)

    def close(self) -> None:
        """End all running handlers."""
        for task in list(self._running.values()):
            task.close()
        self._running.clear()
        with self.sandbox():
            for environment in self._environments.values():
                environment.close()

    @contextmanager
    def _around(self, code: Code, environment: ExecutionEnvironment, output: Output) -> Generator[None]:
        """Surround one stretch in which a handler runs."""
        with watched(), self.sandbox(*code.modules), output.captured(), environment.active():
            yield

    def _end(  # noqa: PLR0917 - the parts of an invocation
        self,
        invocation: Invocation,
        done: Callable[[InvocationOutcome], None],
        key: tuple[int, int],
        log: InvocationLog,
        target: Target,
        cold: bool,  # noqa: FBT001 - as above
        outcome: InvocationOutcome,
        result: Result,
    ) -> None:
        taken = self.event_queue.now - invocation.begins
        outcome = explained(outcome, result, log.output)
        log.end(result, taken, target.version.configuration.memory, cold=cold)
        del self._running[invocation.number]
        if not invocation.request.mapping.queue:
            self.ended[invocation.number] = result, log.output
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

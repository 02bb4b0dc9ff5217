"""Lambda in one Region: its functions and mappings, their handlers, and the parts of the simulator that run them."""

import json
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import Self

import attrs

from chaosqs.kernel.context import SimulationContext
from chaosqs.kernel.event_queue import EventQueue
from chaosqs.lambda_.execution_environment import ExecutionEnvironment, FunctionFacts, Handler, LoadError
from chaosqs.lambda_.handler_runtime import HandlerTask, within
from chaosqs.lambda_.invocation import (
    CRASHED,
    LONGEST_INITIALISATION,
    Invocation,
    InvocationOutcome,
    Lambda,
    Models,
    Request,
)
from chaosqs.lambda_.machines.concurrency import Executions
from chaosqs.lambda_.machines.recursion_guard import trace_header
from chaosqs.lambda_.output import Lines, Output
from chaosqs.lambda_.results import Result, batch_event, explained
from chaosqs.lambda_.sandbox import Sandbox
from chaosqs.lambda_.threads import Ended
from chaosqs.lambda_.waits import Waits
from chaosqs.lambda_.watch import watched
from chaosqs.mock_aws.lambda_api.code import Code, Zip
from chaosqs.mock_aws.lambda_api.errors import not_found
from chaosqs.mock_aws.lambda_api.resources import Deployed, Mapped, Named, Version, function_arn
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Design, EventSourceMapping, Function
from chaosqs.sqs.api.region import EPOCH, Region
from chaosqs.sqs.machines.message import Message, uuid

# The output of functions: one log for each function, as in CloudWatch Logs, and the lines of each invocation ----------


@attrs.define(eq=False)
class InvocationLog:
    """The output of one invocation in the log of its function, with Lambda's own lines."""

    request_id: str
    stamp: Callable[[], str]
    """Returns the present moment in the format of Lambda's logs."""
    output: Output
    initialised: bool = True
    """False after an initialisation without success."""

    @classmethod
    def of(cls, log: Lines, request_id: str, stamp: Callable[[], str]) -> Self:
        """Return the log of an invocation; `log`: the lines of all invocations of the function."""
        return cls(request_id, stamp, Output(lambda level: f"[{level}]\t{stamp()}\t{request_id}\t", log))

    def start(self, version: str) -> None:
        """Write Lambda's first line."""
        self.output.add(f"START RequestId: {self.request_id} Version: {version}")

    def not_initialised(self, taken: int, error: str) -> None:
        """Write that an initialisation failed with an error, or took too long if there is none (LX-12)."""
        status = f"error\tError Type: {error}" if error else "timeout"
        self.initialised = False
        self.output.finish()
        self.output.add(f"INIT_REPORT Init Duration: {taken:.2f} ms\tPhase: init\tStatus: {status}")

    def end(self, result: Result, taken: int, memory: int, initialisation: int | None) -> None:
        """Write Lambda's last lines; `memory`: MB.

        `taken`: milliseconds of the invocation. `initialisation`: those of an initialisation that came before it; None:
        there was none, or it counts as duration (LX-12, LX-14). Since August 2025 both are billed.
        """
        output = self.output
        output.finish()
        if result.outcome == "timed_out":
            output.add(f"{self.stamp()} {self.request_id} {result.message.partition('Error: ')[2]}")
        elif result.failed:
            output.add(f"[ERROR] {result.kind}: {result.message}")
        if result.trace:
            output.write("Traceback (most recent call last):\n" + "".join(f"{line}\n" for line in result.trace))
        output.add(f"END RequestId: {self.request_id}")
        initialised = "" if initialisation is None else f"\tInit Duration: {initialisation:.2f} ms"
        billed = max(1, taken + (initialisation or 0))
        output.add(
            f"REPORT RequestId: {self.request_id}\tDuration: {taken:.2f} ms\tBilled Duration: {billed} ms\t"
            f"Memory Size: {memory} MB\tMax Memory Used: {memory // 2} MB{initialised}\t{_status(result)}"
        )


def _status(result: Result) -> str:
    """Return how an invocation ended that Lambda itself ended; empty for one that returned or raised."""
    if result.outcome == "timed_out":
        return "Status: timeout"
    return f"Status: error\tError Type: {result.kind}" if result.failed and result.kind.startswith("Runtime.") else ""


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
        facts, started = _facts(target, invocation.environment.number), self.event_queue.now - invocation.cold
        if key not in self._environments:
            begin = partial(version.code.begin, version.configuration.handler)
            self._environments[key] = ExecutionEnvironment(begin, facts)
        environment = self._environments[key]
        log = InvocationLog.of(target.function.logs, uuid(b"invocation", invocation.number), self.stamp)
        around = partial(self._around, version.code, environment, log.output)
        end = partial(self._end, invocation, done, key, log, target, started)
        root = version.code.root if isinstance(version.code, Zip) else ""
        task = HandlerTask(invocation, self.event_queue, around, end, root=root, threads=environment.threads)
        self._running[invocation.number] = task
        environment.trace = trace_header(task.request_id, target.messages, target.function.name)
        context = facts.context(task.request_id, lambda: task.remaining)

        def load() -> Handler:
            log.output.here()
            return environment.load()

        def call() -> object:
            try:
                handler = load()
            finally:
                log.start(version.number)
            return handler(json.loads(target.payload), context)

        initialise = partial(self._initialise, load, log, started)
        task.start(call, None if environment.is_loaded or within(invocation) else initialise)

    def _initialise(self, load: Callable[[], object], log: InvocationLog, started: int) -> None:
        """Load the handler as the initialisation of its environment; log a failure or its time limit."""
        try:
            load()
        except (LoadError, SystemExit) as error:
            kind = error.kind if isinstance(error, LoadError) else CRASHED
            log.not_initialised(self.event_queue.now - started, kind)
            raise
        except Ended:
            if self.event_queue.now - started >= LONGEST_INITIALISATION:
                log.not_initialised(self.event_queue.now - started, "")
            raise

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
        started: int,
        outcome: InvocationOutcome,
        result: Result,
    ) -> None:
        taken = self.event_queue.now - invocation.begins
        outcome = explained(outcome, result, log.output)
        environment, before = invocation.environment, log.initialised and not within(invocation)
        before = before and environment.new and not environment.provisioned
        initialised = invocation.begins - started if before else None
        log.end(result, taken, target.version.configuration.memory, initialised)
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


# Moments as Lambda writes them: dates from milliseconds since 1970 ----------------------------------------------------

_DAY = 86_400_000
_HOUR, _MINUTE, _SECOND = 3_600_000, 60_000, 1000
_DAYS_BEFORE_1970 = 719_468  # since 1 March of the year 0
_DAYS_OF_400_YEARS = 146_097
_DAYS_OF_4_YEARS, _DAYS_OF_100_YEARS, _YEAR = 1460, 36_524, 365
_JANUARY = 10  # the months of a year that begins in March, counted from 0


def text(milliseconds: int, zone: str) -> str:
    """Return a moment as `2025-12-01T00:00:00.000`, followed by `zone`, which must be a name of UTC."""
    days, rest = divmod(milliseconds, _DAY)
    year, month, day = _date(days)
    hours, minutes = rest // _HOUR, rest % _HOUR // _MINUTE
    seconds, fraction = rest % _MINUTE // _SECOND, rest % _SECOND
    return f"{year:04d}-{month:02d}-{day:02d}T{hours:02d}:{minutes:02d}:{seconds:02d}.{fraction:03d}{zone}"


def _date(days: int) -> tuple[int, int, int]:
    """Return year, month and day of a day since 1970. Internally years begin in March, so leap days come last."""
    era, day = divmod(days + _DAYS_BEFORE_1970, _DAYS_OF_400_YEARS)
    years = (day - day // _DAYS_OF_4_YEARS + day // _DAYS_OF_100_YEARS - day // (_DAYS_OF_400_YEARS - 1)) // _YEAR
    day -= _YEAR * years + years // 4 - years // 100
    month = (5 * day + 2) // 153
    day_of_month = day - (153 * month + 2) // 5 + 1
    in_new_year = month >= _JANUARY
    return era * 400 + years + in_new_year, month - 9 if in_new_year else month + 3, day_of_month


# One Region -----------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class Direct:
    """An invocation without a mapping."""

    settings: EventSourceMapping
    """Placeholder for the mapping in the request: without a queue, one object for each invocation."""
    function: Deployed
    version: Version
    arn: str
    payload: str


@attrs.define(eq=False)
class LambdaRegion:
    """One account's Lambda in one Region."""

    context: SimulationContext
    waits: Waits
    sqs: Region
    concurrency: int = 1000
    """Maximum concurrent executions of the account (LC-2)."""
    functions: dict[str, Deployed] = attrs.field(factory=dict[str, Deployed])
    mappings: dict[str, Mapped] = attrs.field(factory=dict[str, Mapped])
    """Event source mappings by UUID, in the order of their creation."""
    polled: dict[int, Mapped] = attrs.field(factory=dict[int, Mapped])
    """Mapping of each configuration that polls or has polled, by the identity of the configuration."""
    calls: dict[int, Direct] = attrs.field(factory=dict[int, Direct])
    """Invocations without a mapping, by the identity of their `settings`."""
    logs: dict[str, Lines] = attrs.field(factory=dict[str, Lines])
    """Lines of output of each function, deleted ones included."""
    waiting: int = 0
    """Number of asynchronous events that are neither done nor given up."""
    packages: list[Zip] = attrs.field(factory=list[Zip])
    """Unpacked code, to be removed by `LambdaApi.close`."""
    deployments: dict[str, Function] = attrs.field(factory=dict[str, Function])
    """All functions, deleted ones included, as values of the model."""
    handlers: RegionHandlers = attrs.field(init=False)
    engine: Lambda = attrs.field(init=False)
    ids: Iterator[int] = attrs.field(factory=lambda: count(1))
    changes: Iterator[int] = attrs.field(factory=lambda: count(1))
    """Numbers of changes of mappings."""

    def __attrs_post_init__(self) -> None:
        """Build the handlers and the engine."""
        self.handlers = RegionHandlers(self.context.event_queue, self.stamp, self._target, Sandbox(EPOCH))
        executions = Executions(self._design(), self.context.assumptions)
        models = Models(self.context, lambda _: Behaviour(), self.deployments)
        self.engine = Lambda(self.context, executions, models, self.deployments, self.handlers)

    @property
    def now(self) -> int:
        """The present moment, in milliseconds of virtual time."""
        return self.context.now

    def stamp(self) -> str:
        """Return the present moment in the format of Lambda's logs."""
        return text(EPOCH + self.now, "Z")

    def iso(self, moment: int) -> str:
        """Return a moment, given in milliseconds, in the format of Lambda's API."""
        return text(EPOCH + moment, "+0000")

    def new_id(self, kind: bytes) -> str:
        """Return an id in the shape of a UUID, from a counter."""
        return uuid(kind, next(self.ids))

    def arn(self, name: str, qualifier: str = "") -> str:
        """Return the ARN of a function here."""
        return function_arn(self.sqs.name, self.sqs.account, name, qualifier)

    def find(self, wanted: Named) -> tuple[Deployed, Version]:
        """Return the function and version that a caller names; raise `LambdaError` if there is none."""
        function = self.functions.get(wanted.name)
        version = None if function is None else function.find(wanted.qualifier)
        if function is None or version is None:
            raise not_found(f"Function not found: {self.arn(wanted.name, wanted.qualifier)}")
        return function, version

    def redeploy(self) -> None:
        """Apply the present functions to the simulator."""
        for name, function in self.functions.items():
            settings = function.latest.configuration
            plain = Function(name, settings.timeout, settings.memory, function.reserved)
            self.deployments[name] = attrs.evolve(plain, recursive_loop=function.recursive_loop)
        for name in self.deployments.keys() - self.functions.keys():
            self.deployments[name] = attrs.evolve(self.deployments[name], reserved_concurrency=None)
        self.engine.executions.redeploy(self._design())

    def _design(self) -> Design:
        return Design((), self.deployments.values(), account=Account(self.concurrency))

    def _target(self, request: Request) -> Target:
        """Return the target of a request: of a direct invocation, or of a mapping's batch (EC-25)."""
        direct = self.calls.pop(id(request.mapping), None)
        if direct is not None:
            return Target(direct.function, direct.version, direct.arn, self.sqs.name, direct.payload, ())
        mapped = self.polled[id(request.mapping)]
        function, event = mapped.function, batch_event(request, mapped.resource, EPOCH)
        arn = self.arn(function.name, mapped.qualifier)
        messages = tuple(receipt.message for receipt in request.receipts)
        return Target(function, mapped.version, arn, self.sqs.name, json.dumps(event), messages)

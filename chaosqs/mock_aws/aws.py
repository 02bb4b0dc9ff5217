"""`chaosqs.aws()`: a fake SQS and Lambda in virtual time for an ordinary synchronous test, behind the real boto3.

Needs boto3 (`pip install 'chaosqs[boto]'`), which is imported when a world opens.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Literal

import attrs

from chaosqs.errors import InvalidInput, Problem
from chaosqs.lambda_.handler_loading import Handler
from chaosqs.mock_aws.lambda_api.backend import Backend, history
from chaosqs.mock_aws.lambda_api.registration import register
from chaosqs.model.design import Design, Function
from chaosqs.model.history import History
from chaosqs.model.time import milliseconds
from chaosqs.model.values import Checks
from chaosqs.sqs.api.region import ACCOUNT
from chaosqs.sqs.api.sqs import Sqs
from chaosqs.sqs.service import Service

if TYPE_CHECKING:
    from types import TracebackType

    from mypy_boto3_sqs import SQSClient

    from chaosqs.wire.transport import Transport


def aws(design: Design | None = None, *, passthrough: Literal["moto"] | None = None) -> Opening:
    """Return what opens a world, in which every boto3 client of this process talks to a fake SQS and Lambda.

    ::

        with chaosqs.aws() as world:
            sqs = boto3.client("sqs")        # no credentials, no Region needed; clients made before work too
            url = sqs.create_queue(QueueName="orders")["QueueUrl"]
            sqs.send_message(QueueUrl=url, MessageBody="hello", DelaySeconds=60)
            world.advance(60)                # seconds; nothing really waits

    The queues of `design` exist at once, in the Region of a client that names none (`AWS_DEFAULT_REGION`, the AWS
    configuration, else us-east-1). With `passthrough="moto"`, moto answers for the other services; without, their
    operations raise `SimulationError`. Nothing reaches the network.

    Functions come by `CreateFunction` with a zip of Python code, or by `world.function` as they are in this process;
    event source mappings poll as time moves::

            world.function("worker", handler, timeout=10)
            boto3.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName="worker")
            world.run_until_idle()
            print(world.logs("worker"))

    A handler takes the virtual time that it sleeps (`time.sleep`) and waits (long polls, boto3's pauses between
    attempts), and no other: so it occupies its execution, and invocations overlap, by what it waits. While it runs,
    time, random numbers, environment variables and other state of the process are those of its execution environment;
    what would run in real time or outside of the process ends the test: threads, event loops, sockets, programs.

    Time moves by `world.advance`, `world.run_until_idle`, by long polls, which wait until a message is due or the wait
    is over, by synchronous invocations, and by what botocore sleeps between two attempts. `time.sleep` in the test
    itself is not touched, and moves nothing here.

    As a pytest fixture, one line, which gives each test a world of its own::

        world = pytest.fixture(chaosqs.aws().fixture)

    Outside the `with` block clients behave as always. Worlds may nest: the inner one answers. Raises `InvalidInput`
    for another `passthrough`.
    """
    if passthrough not in (None, "moto"):
        raise InvalidInput([Problem("passthrough", repr(passthrough), "must be None or 'moto'")])
    return Opening(design, passthrough)


@attrs.frozen(eq=False)
class Opening:
    """What `aws()` returns: a context manager that gives a new `MockAws` each time."""

    design: Design | None
    passthrough: str | None
    _open: list[ExitStack] = attrs.field(factory=list[ExitStack], init=False)

    def __enter__(self) -> MockAws:
        with ExitStack() as stack:
            world = stack.enter_context(_opened(self.design, self.passthrough))
            self._open.append(stack.pop_all())
        return world

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.pop().__exit__(kind, error, trace)

    def fixture(self) -> Generator[MockAws]:
        """Yield a world: `world = pytest.fixture(chaosqs.aws().fixture)`."""
        with self as world:
            yield world


@attrs.define(eq=False)
class MockAws:
    """A fake SQS and Lambda in virtual time, for as long as its `with` block lasts. Time starts at 0."""

    _backend: Backend = attrs.field(repr=False)
    _door: Transport = attrs.field(repr=False)
    _region: str
    """The Region of clients that name none."""
    _design: Design | None

    @property
    def now(self) -> float:
        """Seconds since the world opened."""
        return self._backend.sqs.now / 1000

    @property
    def time(self) -> float:
        """Seconds since 1970 as AWS's clocks show them in this world, which opens on 1 December 2025, 0:00 UTC."""
        return (self._backend.sqs.epoch + self._backend.sqs.now) / 1000

    def advance(self, seconds: float) -> None:
        """Let time pass: what is due by then happens, each at its moment; mappings poll and functions run.

        `seconds` is a finite number of at least 0, to the millisecond; anything else raises `InvalidInput`. A handler
        that calls it sleeps.
        """
        checks = Checks("")
        if not checks.number("seconds", seconds, 0):
            raise InvalidInput(checks.problems)
        with self._backend.turn():
            self._backend.waits.sleep(milliseconds(seconds))

    def run_until_idle(self, limit: float = 3600) -> float:
        """Let time pass until no mapping and no function has anything to do; return how many seconds that took.

        Raises `Livelock` where that is not so after `limit` seconds; it says who is busy with what. A queue whose
        messages come back for ever, without a dead-letter queue, is one that never is idle.
        """
        with self._backend.turn():
            return self._backend.run_until_idle(milliseconds(limit)) / 1000

    def function(
        self,
        name: str,
        handler: Handler,
        *,
        timeout: int | None = None,
        memory: int | None = None,
        reserved_concurrency: int | None = None,
        environment: Mapping[str, str] | None = None,
        region: str | None = None,
    ) -> str:
        """Deploy a callable of this process as a function, in the place of one of the same name; return its ARN.

        `handler` is called with an event and a context, as Lambda's Python runtime does. What is not said about the
        function is as in the design that the world was opened with, whose mappings of it then poll at once, else as
        AWS has it: `timeout` 3 seconds, `memory` 128 MB. Raises `InvalidInput` for what AWS would refuse.
        """
        known = None if self._design is None else next((f for f in self._design.functions if f.name == name), None)
        asked = known or Function(name)
        asked = attrs.evolve(
            asked,
            timeout=asked.timeout if timeout is None else timeout,
            memory=asked.memory if memory is None else memory,
            reserved_concurrency=asked.reserved_concurrency if reserved_concurrency is None else reserved_concurrency,
        )
        mappings = () if self._design is None or known is None else self._design.mappings_of(name)
        with self._backend.turn():
            home = self._backend.lambda_api.region(region or self._region)
            return register(home, asked, handler, environment or {}, mappings)

    def logs(self, name: str, region: str | None = None) -> str:
        """Return what a function has printed and logged, between Lambda's own lines: START, END, REPORT.

        Raises `InvalidInput` where no function has that name.
        """
        home = self._backend.lambda_api.region(region or self._region)
        if name not in home.states:
            raise InvalidInput(f"no function is called {name!r} in {home.sqs.name}: there are {', '.join(home.states)}")
        return "".join(f"{line}\n" for line in home.states[name])

    def history(self, region: str | None = None) -> History:
        """Return what has happened up to now in one Region, for `chaosqs.check` and for its metrics."""
        with self._backend.turn():
            return history(self._backend.lambda_api.region(region or self._region))

    def client(self, service: Literal["sqs"] = "sqs", region: str | None = None) -> SQSClient:
        """Return a boto3 client of this process's default session; any other client does as well.

        Raises `InvalidInput` where the world has closed: such a client would talk to AWS.
        """
        import boto3  # noqa: PLC0415 - it is an extra

        if not self._door.is_open:
            raise InvalidInput("this world is closed: its clients would talk to AWS")
        return boto3.client(service, region)  # pyright: ignore[reportUnknownMemberType] - its other services are not typed


@contextmanager
def _opened(design: Design | None, passthrough: str | None) -> Generator[MockAws]:
    try:
        # boto3 is an extra: without it this module still imports.
        from chaosqs.mock_aws.lambda_api.rest import reply  # noqa: PLC0415
        from chaosqs.wire import botocore_hook as others  # noqa: PLC0415
        from chaosqs.wire import botocore_hook as sdk  # noqa: PLC0415
        from chaosqs.wire.transport import Transport  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"chaosqs.aws() needs boto3: pip install 'chaosqs[boto]' ({error})") from error
    backend, region = Backend.new(), sdk.default_region()
    with (
        others.moto() if passthrough else nullcontext() as answer,
        others.moto_leaves_ours_alone(),
        sdk.opened(Transport(backend, {"lambda": partial(reply, backend)}, answer)) as transport,
    ):
        if design is not None:
            _deploy(design, backend.sqs, region)
        try:
            yield MockAws(backend, transport, region, design)
        finally:
            backend.lambda_api.close()


def _deploy(design: Design, sqs: Sqs, region: str) -> None:
    service = Service(sqs.accounts.context)
    for queue in design.queues:
        service.open(queue)
    sqs.accounts.adopt(service, ACCOUNT, region)

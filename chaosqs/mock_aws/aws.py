"""`chaosqs.aws()`: a fake SQS and Lambda in virtual time for an ordinary synchronous test, behind the real boto3.

Needs boto3 (`pip install 'chaosqs[boto]'`), which is imported when the `with` block begins.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Literal

import attrs

from chaosqs.errors import InvalidInput
from chaosqs.lambda_ import clocks
from chaosqs.lambda_.execution_environment import Handler
from chaosqs.lambda_.sandbox import virtual_for_tests
from chaosqs.lambda_.service_calls import ADVICE
from chaosqs.mock_aws.lambda_api.backend import ASSUMED, Backend, history
from chaosqs.mock_aws.lambda_api.functions import register
from chaosqs.model.design import Design, Function
from chaosqs.model.history import History
from chaosqs.model.time import milliseconds
from chaosqs.model.values import Checks
from chaosqs.sqs.api.region import ACCOUNT, EPOCH
from chaosqs.sqs.api.sqs import Sqs
from chaosqs.sqs.service import Service
from chaosqs.wire import stubs

if TYPE_CHECKING:
    from types import TracebackType

    from mypy_boto3_sqs import SQSClient

    from chaosqs.wire.transport import Transport


def aws(
    design: Design | None = None,
    *,
    passthrough: Literal["moto"] | None = None,
    call_latency: float | None = None,
    mapping_change: float | None = None,
) -> AwsContext:
    """Return a context manager; in its `with` block every boto3 client of this process talks to a fake SQS and Lambda.

    ::

        with chaosqs.aws() as world:
            sqs = boto3.client("sqs")        # no credentials, no Region needed; clients made before work too
            url = sqs.create_queue(QueueName="orders")["QueueUrl"]
            sqs.send_message(QueueUrl=url, MessageBody="hello", DelaySeconds=60)
            time.sleep(60)                   # virtual time, as world.advance(60)

    Clocks, sleeps and threads of the test are virtual within the block; see `docs/mock-aws.md`. Nothing reaches the
    network. `world = pytest.fixture(chaosqs.aws().fixture)` gives each test a world of its own.

    `design`: its queues and resources exist at once, in the Region of a client that names none. `passthrough="moto"`:
    moto answers for other services, as it does for a design with resources; otherwise their operations raise
    `SimulationError`. `call_latency`: seconds of virtual time that each call takes, from 0 to 1; None: 0.008.
    `mapping_change`: seconds until a new, changed or deleted mapping is so, from 0.001 to 120; None: drawn, 1 to 35.

    Raises `InvalidInput` for another `passthrough` or a time out of range.
    """
    checks = Checks("")
    if passthrough not in (None, "moto"):
        checks.refuse("passthrough", passthrough, "must be None or 'moto'")
    if call_latency is None:
        call_latency = ASSUMED.call_latency / 1000
    checks.number("call_latency", call_latency, 0, 1)
    if mapping_change is not None:
        checks.number("mapping_change", mapping_change, 0.001, 120)
    if checks.problems:
        raise InvalidInput(checks.problems)
    change = None if mapping_change is None else milliseconds(mapping_change)
    return AwsContext(design, passthrough, milliseconds(call_latency), change)


@attrs.frozen(eq=False)
class AwsContext:
    """The result of `aws()`: a context manager that gives a new `MockAws` each time."""

    design: Design | None
    passthrough: str | None
    latency: int
    """Milliseconds that each call takes."""
    change: int | None
    """Milliseconds that a change of a mapping takes; None: they are drawn."""
    _open: list[ExitStack] = attrs.field(factory=list[ExitStack], init=False)

    def __enter__(self) -> MockAws:
        with ExitStack() as stack:
            mock = stack.enter_context(_opened(self))
            self._open.append(stack.pop_all())
        return mock

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.pop().__exit__(kind, error, trace)

    def fixture(self) -> Generator[MockAws]:
        """Yield a `MockAws`: `world = pytest.fixture(chaosqs.aws().fixture)`."""
        with self as mock:
            yield mock


@attrs.define(eq=False)
class MockAws:
    """A fake SQS and Lambda in virtual time, for as long as its `with` block lasts. Time starts at 0."""

    _backend: Backend = attrs.field(repr=False)
    _transport: Transport = attrs.field(repr=False)
    _region: str
    """The Region of clients that name none."""
    _design: Design | None

    @property
    def now(self) -> float:
        """Seconds of virtual time since the `with` block began."""
        return self._backend.sqs.now / 1000

    @property
    def time(self) -> float:
        """Virtual time in seconds since 1970. The `with` block begins on 1 December 2025, 0:00 UTC."""
        return (self._backend.sqs.epoch + self._backend.sqs.now) / 1000

    def advance(self, seconds: float) -> None:
        """Let time pass: everything due by then happens at its moment; mappings poll and functions run.

        `seconds` is a finite number of at least 0, to the millisecond; anything else raises `InvalidInput`. In a
        handler it is a sleep.
        """
        __tracebackhide__ = True
        checks = Checks("")
        if not checks.number("seconds", seconds, 0):
            raise InvalidInput(checks.problems)
        with self._backend.turn():
            self._backend.waits.sleep(milliseconds(seconds) / 1000)

    def run_until_idle(self, limit: float = 3600) -> float:
        """Let time pass until no mapping and no function has anything to do; return the seconds that passed.

        Raises `Livelock` if that is not so after `limit` seconds; the error names what is busy. A queue without a
        dead-letter queue whose messages always come back never is idle.
        """
        __tracebackhide__ = True
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

        `handler` is called with an event and a context, as Lambda's Python runtime does. Settings that are not given
        are those of the design's function of this name, whose mappings then poll at once, else AWS's defaults:
        `timeout` 3 seconds, `memory` 128 MB. Raises `InvalidInput` for settings that AWS would refuse.
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
        """Return the printed and logged lines of a function, with Lambda's own lines: START, END, REPORT.

        Raises `InvalidInput` if no function has that name.
        """
        home = self._backend.lambda_api.region(region or self._region)
        if name not in home.logs:
            raise InvalidInput(f"no function is called {name!r} in {home.sqs.name}: there are {', '.join(home.logs)}")
        return "".join(f"{entry}\n" for entry in home.logs[name])

    def history(self, region: str | None = None) -> History:
        """Return the history of one Region up to now, for `chaosqs.check` and for its metrics."""
        with self._backend.turn():
            return history(self._backend.lambda_api.region(region or self._region))

    def client(self, service: Literal["sqs"] = "sqs", region: str | None = None) -> SQSClient:
        """Return a boto3 client of this process's default session; clients made in any other way work as well.

        Raises `InvalidInput` after the `with` block: such a client would talk to AWS.
        """
        import boto3  # noqa: PLC0415 - it is an extra

        if not self._transport.is_open:
            raise InvalidInput("chaosqs.aws() is closed: its clients would talk to AWS")
        return boto3.client(service, region)  # pyright: ignore[reportUnknownMemberType] - its other services are not typed


@contextmanager
def _opened(asked: AwsContext) -> Generator[MockAws]:
    try:
        # boto3 is an extra: without it this module still imports.
        from chaosqs.mock_aws.lambda_api.rest import reply  # noqa: PLC0415
        from chaosqs.wire import botocore_hook as sdk  # noqa: PLC0415
        from chaosqs.wire.transport import Transport  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"chaosqs.aws() needs boto3: pip install 'chaosqs[boto]' ({error})") from error
    backend, region = Backend.new(asked.latency, asked.change), sdk.default_region()
    resources = () if asked.design is None else asked.design.resources
    calls = backend.services(region)
    services = calls if asked.passthrough or resources else None
    advice = _ADVICE if services is None else ADVICE
    waits, own = backend.waits, stubs.Stubs(calls, backend.waits.refuse)
    transport = Transport(waits, {"lambda": partial(reply, backend)}, services, advice, own.answers)
    with stubs.opened(own), sdk.opened(transport), virtual_for_tests(EPOCH):
        if asked.design is not None:
            _deploy(asked.design, backend.sqs, region)
        clocks.enter(waits)
        try:
            if services is not None:
                services.make(resources)
            yield MockAws(backend, transport, region, asked.design)
        finally:
            backend.close()
            clocks.leave(waits)
            if services is not None:
                services.close()


_ADVICE = (
    "chaosqs answers for Lambda and SQS only, and lets nothing out to the network. To have moto answer, use "
    'chaosqs.aws(passthrough="moto")'
)


def _deploy(design: Design, sqs: Sqs, region: str) -> None:
    service = Service(sqs.accounts.context)
    for queue in design.queues:
        service.open(queue)
    sqs.accounts.adopt(service, ACCOUNT, region)

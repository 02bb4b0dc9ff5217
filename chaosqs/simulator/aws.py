"""`chaosqs.aws()`: a fake SQS in virtual time for an ordinary synchronous test, behind the real boto3.

Needs boto3 (`pip install 'chaosqs[boto]'`), which is imported when a world opens.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from typing import TYPE_CHECKING, Literal

import attrs

from chaosqs.errors import InvalidInput, Problem
from chaosqs.model.design import Design
from chaosqs.model.time import milliseconds
from chaosqs.model.values import Checks
from chaosqs.simulator.operations import ACCOUNT, Sqs, Wait
from chaosqs.simulator.service import Service
from chaosqs.simulator.turn import Turn, turns

if TYPE_CHECKING:
    from types import TracebackType

    from mypy_boto3_sqs import SQSClient

    from chaosqs.simulator.door.door import Door


def aws(design: Design | None = None, *, passthrough: str | None = None) -> Opening:
    """Return what opens a world, in which every boto3 and botocore client of this process talks to a fake SQS.

    ::

        with chaosqs.aws() as world:
            sqs = boto3.client("sqs")        # no credentials, no Region needed; clients made before work too
            url = sqs.create_queue(QueueName="orders")["QueueUrl"]
            sqs.send_message(QueueUrl=url, MessageBody="hello", DelaySeconds=60)
            world.advance(60)                # seconds; nothing really waits

    The queues of `design` exist at once, in the Region of a client that names none (`AWS_DEFAULT_REGION`, the AWS
    configuration, else us-east-1). With `passthrough="moto"`, moto answers for the other services; without, their
    operations raise `SimulationError`. Nothing reaches the network.

    Time moves by `world.advance`, by long polls, which wait until a message is due or the wait is over, and by what
    botocore sleeps between two attempts. `time.sleep` in the test itself is not touched, and moves nothing here.

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
    """What `aws()` returns: a context manager that gives a new `World` each time."""

    design: Design | None
    passthrough: str | None
    _open: list[ExitStack] = attrs.field(factory=list[ExitStack], init=False)

    def __enter__(self) -> World:
        with ExitStack() as stack:
            world = stack.enter_context(_opened(self.design, self.passthrough))
            self._open.append(stack.pop_all())
        return world

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.pop().__exit__(kind, error, trace)

    def fixture(self) -> Generator[World]:
        """Yield a world: `world = pytest.fixture(chaosqs.aws().fixture)`."""
        with self as world:
            yield world


@attrs.define(eq=False)
class World:
    """A fake SQS in virtual time, for as long as its `with` block lasts. Time starts at 0."""

    _sqs: Sqs
    _turn: Turn
    _door: Door

    @property
    def now(self) -> float:
        """Seconds since the world opened."""
        return self._sqs.now / 1000

    @property
    def time(self) -> float:
        """Seconds since 1970 as AWS's clocks show them in this world, which opens on 1 December 2025, 0:00 UTC."""
        return (self._sqs.epoch + self._sqs.now) / 1000

    def advance(self, seconds: float) -> None:
        """Let time pass: delays, visibility and retention that end by then do so, each at its moment.

        `seconds` is a finite number of at least 0, to the millisecond; anything else raises `InvalidInput`.
        """
        checks = Checks("")
        if not checks.number("seconds", seconds, 0):
            raise InvalidInput(checks.problems)
        with self._turn:
            self._sqs.advance(milliseconds(seconds))

    def client(self, service: Literal["sqs"] = "sqs", region: str | None = None) -> SQSClient:
        """Return a boto3 client of this process's default session; any other client does as well.

        Raises `InvalidInput` where the world has closed: such a client would talk to AWS.
        """
        import boto3  # noqa: PLC0415 - it is an extra

        if not self._door.is_open:
            raise InvalidInput("this world is closed: its clients would talk to AWS")
        return boto3.client(service, region)  # pyright: ignore[reportUnknownMemberType] - its other services are not typed


@attrs.frozen(eq=False)
class _DrivingWaiter:
    """Moves time itself, since nobody else does; callers in threads take turns."""

    sqs: Sqs
    turn: Turn

    def call(self, operation: str, parameters: Mapping[str, object], *, region: str) -> Mapping[str, object]:
        with self.turn:
            result = self.sqs.call(operation, parameters, region=region)
            return self.sqs.finish(result) if isinstance(result, Wait) else result

    def sleep(self, seconds: float) -> None:
        with self.turn:
            self.sqs.advance(milliseconds(seconds))

    def jitter(self) -> float:
        return 0.5

    def epoch(self) -> float:
        return (self.sqs.epoch + self.sqs.now) / 1000


@contextmanager
def _opened(design: Design | None, passthrough: str | None) -> Generator[World]:
    try:
        # boto3 is an extra: without it this module still imports.
        from chaosqs.simulator.door import passthrough as others  # noqa: PLC0415
        from chaosqs.simulator.door import sdk  # noqa: PLC0415
        from chaosqs.simulator.door.door import Door  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"chaosqs.aws() needs boto3: pip install 'chaosqs[boto]' ({error})") from error
    sqs, turn = Sqs(), turns()
    with (
        others.moto() if passthrough else nullcontext() as answer,
        others.moto_leaves_sqs_alone(),
        sdk.opened(Door(_DrivingWaiter(sqs, turn), answer)) as door,
    ):
        if design is not None:
            _deploy(design, sqs, sdk.default_region())
        yield World(sqs, turn, door)


def _deploy(design: Design, sqs: Sqs, region: str) -> None:
    service = Service(sqs.agenda, sqs.luck, sqs.record, 0)
    for queue in design.queues:
        service.open(queue)
    sqs.world.adopt(service, ACCOUNT, region)

"""Lambda in one Region: its functions and event source mappings, and the simulator's parts that run them."""

import json
from collections.abc import Iterator
from itertools import count

import attrs

from chaosqs.kernel.context import SimulationContext
from chaosqs.lambda_.batch_event import batch_event
from chaosqs.lambda_.handler_runtime import Waits
from chaosqs.lambda_.invocation import Lambda, Models, Request
from chaosqs.lambda_.machines.concurrency import Executions
from chaosqs.lambda_.sandbox import Sandbox
from chaosqs.mock_aws.lambda_api.code import Zip
from chaosqs.mock_aws.lambda_api.errors import not_found
from chaosqs.mock_aws.lambda_api.handlers import RegionHandlers, Target
from chaosqs.mock_aws.lambda_api.names import Named, function_arn
from chaosqs.mock_aws.lambda_api.resources import Deployed, Mapped, Version
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Design, EventSourceMapping, Function
from chaosqs.sqs.api.region import EPOCH, Region
from chaosqs.sqs.machines.message import uuid

# Moments as Lambda writes them: years, months and days out of milliseconds since 1970. -------------------------------

_DAY = 86_400_000
_HOUR, _MINUTE, _SECOND = 3_600_000, 60_000, 1000
_DAYS_BEFORE_1970 = 719_468  # since 1 March of the year 0
_DAYS_OF_400_YEARS = 146_097
_DAYS_OF_4_YEARS, _DAYS_OF_100_YEARS, _YEAR = 1460, 36_524, 365
_JANUARY = 10  # the months of a year that begins in March, counted from 0


def text(milliseconds: int, zone: str) -> str:
    """Return a moment as `2025-12-01T00:00:00.000` with a time zone's name behind, which has to be UTC's."""
    days, rest = divmod(milliseconds, _DAY)
    year, month, day = _date(days)
    hours, minutes = rest // _HOUR, rest % _HOUR // _MINUTE
    seconds, fraction = rest % _MINUTE // _SECOND, rest % _SECOND
    return f"{year:04d}-{month:02d}-{day:02d}T{hours:02d}:{minutes:02d}:{seconds:02d}.{fraction:03d}{zone}"


def _date(days: int) -> tuple[int, int, int]:
    """Return year, month and day of a day since 1970; the years are counted from March, so leap days come last."""
    era, day = divmod(days + _DAYS_BEFORE_1970, _DAYS_OF_400_YEARS)
    years = (day - day // _DAYS_OF_4_YEARS + day // _DAYS_OF_100_YEARS - day // (_DAYS_OF_400_YEARS - 1)) // _YEAR
    day -= _YEAR * years + years // 4 - years // 100
    month = (5 * day + 2) // 153
    day_of_month = day - (153 * month + 2) // 5 + 1
    in_new_year = month >= _JANUARY
    return era * 400 + years + in_new_year, month - 9 if in_new_year else month + 3, day_of_month


# ---------------------------------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class Direct:
    """What somebody invokes without a mapping."""

    settings: EventSourceMapping
    """Stands where a batch has its mapping: without a queue, and each its own."""
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
    """Executions that the account may have at one instant (LC-2)."""
    functions: dict[str, Deployed] = attrs.field(factory=dict[str, Deployed])
    mappings: dict[str, Mapped] = attrs.field(factory=dict[str, Mapped])
    """By UUID, in the order of their creation."""
    polled: dict[int, Mapped] = attrs.field(factory=dict[int, Mapped])
    """The mapping of each configuration that polls or has polled, by the identity of the latter."""
    calls: dict[int, Direct] = attrs.field(factory=dict[int, Direct])
    """Invocations without a mapping, by the identity of what stands for it."""
    states: dict[str, list[str]] = attrs.field(factory=dict[str, list[str]])
    """What each function has printed, deleted ones too."""
    waiting: int = 0
    """Asynchronous events that have not ended for good."""
    packages: list[Zip] = attrs.field(factory=list[Zip])
    """Unpacked code, to be removed when the world closes."""
    deployments: dict[str, Function] = attrs.field(factory=dict[str, Function])
    """All functions that there are or were, as the simulator has them."""
    handlers: RegionHandlers = attrs.field(init=False)
    engine: Lambda = attrs.field(init=False)
    ids: Iterator[int] = attrs.field(factory=lambda: count(1))

    def __attrs_post_init__(self) -> None:
        """Put the parts together."""
        self.handlers = RegionHandlers(self.context.event_queue, self.stamp, self._target, Sandbox(EPOCH))
        executions = Executions(self._design(), self.context.assumptions)
        models = Models(self.context, lambda _: Behaviour(), self.deployments)
        self.engine = Lambda(self.context, executions, models, self.deployments, self.handlers)

    @property
    def now(self) -> int:
        """The present moment, in milliseconds of virtual time."""
        return self.context.now

    def stamp(self) -> str:
        """Return the present moment as Lambda's logs have it."""
        return text(EPOCH + self.now, "Z")

    def iso(self, moment: int) -> str:
        """Return a moment in milliseconds as Lambda's API has it."""
        return text(EPOCH + moment, "+0000")

    def new_id(self, kind: bytes) -> str:
        """Return an id in the shape of a UUID, from a counter."""
        return uuid(kind, next(self.ids))

    def arn(self, name: str, qualifier: str = "") -> str:
        """Return the ARN of a function here."""
        return function_arn(self.sqs.name, self.sqs.account, name, qualifier)

    def find(self, wanted: Named) -> tuple[Deployed, Version]:
        """Return what a caller names; raises `LambdaError` where there is no such thing."""
        function = self.functions.get(wanted.name)
        version = None if function is None else function.find(wanted.qualifier)
        if function is None or version is None:
            raise not_found(f"Function not found: {self.arn(wanted.name, wanted.qualifier)}")
        return function, version

    def redeploy(self) -> None:
        """Have the simulator follow the functions as they are now."""
        for name, function in self.functions.items():
            settings = function.latest.configuration
            self.deployments[name] = Function(name, settings.timeout, settings.memory, function.reserved)
        for name in self.deployments.keys() - self.functions.keys():
            self.deployments[name] = attrs.evolve(self.deployments[name], reserved_concurrency=None)
        self.engine.executions.redeploy(self._design())

    def _design(self) -> Design:
        return Design((), self.deployments.values(), account=Account(self.concurrency))

    def _target(self, request: Request) -> Target:
        """Return what a request invokes: a mapping's batch, or what somebody invokes without one (EC-25)."""
        direct = self.calls.pop(id(request.mapping), None)
        if direct is not None:
            return Target(direct.function, direct.version, direct.arn, self.sqs.name, direct.payload, ())
        mapped = self.polled[id(request.mapping)]
        function, event = mapped.function, batch_event(request, mapped.resource, EPOCH)
        arn = self.arn(function.name, mapped.qualifier)
        messages = tuple(receipt.message for receipt in request.receipts)
        return Target(function, mapped.version, arn, self.sqs.name, json.dumps(event), messages)

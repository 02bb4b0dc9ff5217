"""Lambda in one Region: its functions and event source mappings, and the parts of the simulator that run them."""

import json
from collections.abc import Iterator
from itertools import count

import attrs

from chaosqs.kernel.context import SimulationContext
from chaosqs.lambda_.batch_event import batch_event
from chaosqs.lambda_.invocation import Lambda, Models, Request
from chaosqs.lambda_.machines.concurrency import Executions
from chaosqs.lambda_.output import Lines
from chaosqs.lambda_.sandbox import Sandbox
from chaosqs.lambda_.waits import Waits
from chaosqs.mock_aws.lambda_api.code import Zip
from chaosqs.mock_aws.lambda_api.errors import not_found
from chaosqs.mock_aws.lambda_api.handlers import RegionHandlers, Target
from chaosqs.mock_aws.lambda_api.names import Named, function_arn
from chaosqs.mock_aws.lambda_api.resources import Deployed, Mapped, Version
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Design, EventSourceMapping, Function
from chaosqs.sqs.api.region import EPOCH, Region
from chaosqs.sqs.machines.message import uuid

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
            self.deployments[name] = Function(name, settings.timeout, settings.memory, function.reserved)
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

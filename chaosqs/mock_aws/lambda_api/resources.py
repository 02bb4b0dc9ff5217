"""Functions and mappings as Lambda's API has them: their names in requests, versions, aliases, reservations, states."""

import re
from collections.abc import Mapping, Sequence

import attrs

from chaosqs.esm.mapping import Mapping as Pollers
from chaosqs.lambda_.output import Lines
from chaosqs.mock_aws.lambda_api.code import Code
from chaosqs.mock_aws.lambda_api.errors import invalid
from chaosqs.model.design import EventSourceMapping, RecursiveLoop
from chaosqs.sqs.api.parameters import Parameters, integer, text
from chaosqs.sqs.api.region import QueueResource

# Pages of a list: `MaxItems` each, and a marker for the next one ------------------------------------------------------

_PAGE_SIZE = 50  # if the caller gives no `MaxItems`


def page(items: Sequence[object], parameters: Parameters, key: str) -> dict[str, object]:
    """Return one page of a list. The marker is the index of the next item. Raises `LambdaError`."""
    marker, size = text(parameters, "Marker"), integer(parameters, "MaxItems") or _PAGE_SIZE
    if marker is not None and not (marker.isascii() and marker.isdecimal()):
        raise invalid("Invalid marker.")
    start = int(marker or 0)
    shown: dict[str, object] = {key: list(items[start : start + size])}
    if start + size < len(items):
        shown["NextMarker"] = str(start + size)
    return shown


# Tags -----------------------------------------------------------------------------------------------------------------

_MOST_TAGS = 50


def merged_tags(tags: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return tags with new ones added; raise `LambdaError` if there are more than 50."""
    result = {**tags, **given}
    if len(result) > _MOST_TAGS:
        raise invalid("Number of tags exceeds resource tag limit.")  # Assumed wording
    return result


# Names and ARNs -------------------------------------------------------------------------------------------------------

LATEST = "$LATEST"
_NAME = re.compile(
    r"(?:arn:[a-z-]+:lambda:)?(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[A-Za-z0-9_-]+)(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]+))?"
)


@attrs.frozen
class Named:
    """A function as a caller names it."""

    name: str
    qualifier: str = ""
    """A version or an alias; empty if the caller gives neither."""


def named(text: str, qualifier: str | None = None) -> Named:
    """Return the function that a text names; raise `LambdaError` for an invalid name or if two qualifiers differ."""
    match = _NAME.fullmatch(text)
    if match is None:
        raise invalid(f"The derived qualifier from the function name does not match the specified qualifier: {text}")
    within = match["qualifier"] or ""
    if within and qualifier and within != qualifier:
        raise invalid("The derived qualifier from the function name does not match the specified qualifier.")
    return Named(match["name"], within or qualifier or "")


def function_arn(region: str, account: str, name: str, qualifier: str = "") -> str:
    """Return the ARN of a function, a version of it or an alias."""
    arn = f"arn:aws:lambda:{region}:{account}:function:{name}"
    return f"{arn}:{qualifier}" if qualifier else arn


def mapping_arn(region: str, account: str, uuid: str) -> str:
    """Return the ARN of an event source mapping."""
    return f"arn:aws:lambda:{region}:{account}:event-source-mapping:{uuid}"


_SHOWN: Mapping[str, object] = {
    "Runtime": "python3.13",
    "Role": "arn:aws:iam::123456789012:role/chaosqs",
    "Description": "",
    "TracingConfig": {"Mode": "PassThrough"},
    "PackageType": "Zip",
    "Architectures": ["x86_64"],
    "EphemeralStorage": {"Size": 512},  # LX-4
}


@attrs.frozen
class Configuration:
    """The settings of a function that each version keeps."""

    handler: str = "index.handler"
    timeout: int = 3
    """Seconds (LX-1)."""
    memory: int = 128
    """MB (LX-3)."""
    variables: tuple[tuple[str, str], ...] = ()
    """Environment variables."""
    shown: Mapping[str, object] = _SHOWN
    """Settings without an effect on a run, in botocore's shape, returned to callers as they were given."""


@attrs.frozen(eq=False)
class Version:
    """One version: its configuration and code."""

    function: str
    number: str
    configuration: Configuration
    code: Code
    modified_at: int
    revision: str


@attrs.frozen
class Alias:
    """A name for one version of a function."""

    version: str
    description: str
    revision: str


@attrs.frozen
class EventSettings:
    """Settings of asynchronous invocations (LX-21); None or empty: the default."""

    retries: int | None = None
    """Attempts after the first one: 0 to 2, by default 2."""
    age: int | None = None
    """Seconds for which an event is tried: 60 to 21,600, by default 21,600."""
    on_success: str = ""
    """ARN of the queue that gets a record of each invocation that succeeded."""
    on_failure: str = ""
    """ARN of the queue that gets a record of each event that was given up."""
    modified_at: int = 0


@attrs.define(eq=False)
class Deployed:
    """One function."""

    name: str
    latest: Version
    reserved: int | None = None
    """Reserved concurrency (LC-3)."""
    recursive_loop: RecursiveLoop = "Terminate"
    """Reaction of Lambda to recursive loops through it (LX-20)."""
    versions: dict[str, Version] = attrs.field(factory=dict[str, Version])
    """Published versions, by number."""
    aliases: dict[str, Alias] = attrs.field(factory=dict[str, Alias])
    """Aliases by name (EC-25)."""
    event_settings: dict[str, EventSettings] = attrs.field(factory=dict[str, EventSettings])
    """Settings of asynchronous invocations, by version or alias."""
    tags: dict[str, str] = attrs.field(factory=dict[str, str])
    logs: Lines = attrs.field(factory=Lines)
    """Lines of output of all its invocations."""

    def find(self, qualifier: str) -> Version | None:
        """Return the version that a qualifier means at present, or None (EC-25)."""
        alias = self.aliases.get(qualifier)
        number = qualifier if alias is None else alias.version
        return self.latest if number in ("", LATEST) else self.versions.get(number)


# Event source mappings and their states (EC-21) -----------------------------------------------------------------------

SETTLED = ("Enabled", "Disabled")
"""The lasting states of a mapping; all others are temporary."""


@attrs.define(eq=False)
class Mapped:
    """One event source mapping of a queue."""

    uuid: str
    arn: str
    resource: QueueResource
    function: Deployed
    qualifier: str
    """A version or an alias, or empty (EC-25)."""
    settings: EventSourceMapping
    modified_at: int
    state: str = "Creating"
    metrics: tuple[str, ...] = ()
    """Published metrics (EC-9)."""
    key_arn: str = ""
    """ARN of the key that encrypts the filters. No key is ever used."""
    tags: dict[str, str] = attrs.field(factory=dict[str, str])
    poller: Pollers | None = None
    """The mapping that polls, while enabled."""
    pollers: int = 0
    """Number of pollers that have stopped; new ones are numbered from there."""
    former: list[Pollers] = attrs.field(factory=list[Pollers])
    """Mappings that have stopped polling and may still carry batches."""

    @property
    def version(self) -> Version:
        """The version that the mapping invokes at present."""
        version = self.function.find(self.qualifier)
        assert version is not None, self.qualifier
        return version

    @property
    def carried(self) -> int:
        """Number of batches that its pollers carry."""
        now = 0 if self.poller is None else self.poller.carried
        return now + sum(poller.carried for poller in self.former)

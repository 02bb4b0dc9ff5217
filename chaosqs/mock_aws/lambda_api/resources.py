"""Functions and event source mappings as Lambda's API has them: versions, aliases, reservations, states."""

from collections.abc import Mapping

import attrs

from chaosqs.esm.mapping import Mapping as Pollers
from chaosqs.lambda_.output import Lines
from chaosqs.mock_aws.lambda_api.code import Code
from chaosqs.mock_aws.lambda_api.names import LATEST
from chaosqs.model.design import EventSourceMapping
from chaosqs.sqs.api.region import QueueResource

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


@attrs.define(eq=False)
class Deployed:
    """One function."""

    name: str
    latest: Version
    reserved: int | None = None
    """Reserved concurrency (LC-3)."""
    versions: dict[str, Version] = attrs.field(factory=dict[str, Version])
    """Published versions, by number."""
    aliases: dict[str, str] = attrs.field(factory=dict[str, str])
    """Number of the version that each alias points at (EC-25)."""
    logs: Lines = attrs.field(factory=Lines)
    """Lines of output of all its invocations."""

    def find(self, qualifier: str) -> Version | None:
        """Return the version that a qualifier means at present, or None (EC-25)."""
        number = self.aliases.get(qualifier, qualifier)
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

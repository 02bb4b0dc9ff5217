"""A function as Lambda has it: `$LATEST`, published versions, aliases, reserved concurrency."""

from __future__ import annotations

import attrs

from chaosqs.simulator.control.code import Code
from chaosqs.simulator.control.names import LATEST


@attrs.frozen
class Configuration:
    """What can be set about a function and is kept with each version."""

    runtime: str = "python3.13"
    role: str = "arn:aws:iam::123456789012:role/chaosqs"
    handler: str = "index.handler"
    description: str = ""
    timeout: int = 3
    """Seconds (LX-1)."""
    memory: int = 128
    """MB (LX-3)."""
    variables: tuple[tuple[str, str], ...] = ()
    """Environment variables."""
    dead_letter_target: str = ""
    """Of asynchronous invocations only (LX-18)."""
    tracing: str = "PassThrough"
    layers: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ("x86_64",)
    ephemeral_storage: int = 512
    """MB (LX-4)."""
    package_type: str = "Zip"


@attrs.frozen(eq=False)
class Version:
    """One version: configuration and code that go together."""

    function: str
    number: str
    configuration: Configuration
    code: Code
    modified_at: int
    revision: str


@attrs.define
class Alias:
    """A name for a version."""

    name: str
    version: str
    description: str
    revision: str


@attrs.define(eq=False)
class Deployed:
    """One function."""

    name: str
    latest: Version
    reserved: int | None = None
    """Reserved concurrency (LC-3)."""
    versions: dict[str, Version] = attrs.field(factory=dict[str, Version])
    """What was published, by number."""
    aliases: dict[str, Alias] = attrs.field(factory=dict[str, Alias])
    tags: dict[str, str] = attrs.field(factory=dict[str, str])
    lines: list[str] = attrs.field(factory=list[str])
    """What it has printed."""
    published: int = 0
    """The number of the latest version."""

    def find(self, qualifier: str) -> Version | None:
        """Return the version that a qualifier means at present, or None (EC-25)."""
        if qualifier in ("", LATEST):
            return self.latest
        alias = self.aliases.get(qualifier)
        number = qualifier if alias is None else alias.version
        return self.latest if number == LATEST else self.versions.get(number)

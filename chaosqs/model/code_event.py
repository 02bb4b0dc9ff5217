"""What a run records of the user's own code, which calls chaosqs while it handles a batch."""

from __future__ import annotations

import attrs


@attrs.frozen
class PointPassed:
    """A handler of the user's passed a `chaosqs.fault_point`."""

    at: int
    cause: int | None
    function: str
    invocation: int
    site: str
    """Its name."""
    fault: str
    """Names the fault that struck there; empty: none did."""


@attrs.frozen
class Effect:
    """A handler of the user's recorded an effect: `chaosqs.record("charged", order=7)`."""

    at: int
    cause: int | None
    function: str
    invocation: int
    name: str
    values: tuple[tuple[str, str | int | float | bool | None], ...]
    """What it recorded, by name, in the order of the names."""
    message: int | None = None
    """The message that it is about, where the handler said so."""


@attrs.frozen
class Reached:
    """Code of the user's passed a `chaosqs.sometimes`."""

    at: int
    cause: int | None
    function: str
    invocation: int
    mark: str

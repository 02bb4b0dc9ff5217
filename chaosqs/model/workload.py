"""What producers send: which queue, how many, when; no chance in it.

Messages are numbered 0, 1, 2 … over the whole workload in the order in which they are sent. This number is the
message's identity everywhere: in behaviours, fault plans and histories.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

import attrs

from chaosqs.model.time import milliseconds
from chaosqs.model.values import Checks, concise_repr


@attrs.frozen(repr=False)
class Burst:
    """A number of messages, all at once or spread evenly over a while."""

    queue: str
    count: int
    """How many; 0 to 1,000,000."""
    at: float = 0
    """Seconds after the start at which the first one is sent."""
    over: float = 0
    """Seconds over which they are spread evenly; 0: all at once."""
    body_bytes: int = 100
    """Size of each body; 1 to the queue's maximum message size (SZ-1)."""
    groups: int = 0
    """0: no message group; n: round-robin over n message groups (FF-2, FQ-1)."""

    __repr__ = concise_repr


@attrs.frozen(repr=False)
class Steady:
    """Messages at a constant rate for a while."""

    queue: str
    per_second: float
    """Messages a second; above 0."""
    seconds: float
    """For how long."""
    at: float = 0
    """Seconds after the start at which the first one is sent."""
    body_bytes: int = 100
    """Size of each body; 1 to the queue's maximum message size (SZ-1)."""
    groups: int = 0
    """0: no message group; n: round-robin over n message groups (FF-2, FQ-1)."""

    __repr__ = concise_repr


Load: TypeAlias = Burst | Steady
"""One entry of a workload."""


@attrs.frozen
class Arrival:
    """One message on its way to a queue."""

    at: int
    """When it is sent, in milliseconds."""
    queue: str
    body_bytes: int
    group: str
    """Message group id, or empty."""


def arrivals(workload: Iterable[Load]) -> list[Arrival]:
    """Return every message of a workload in the order of sending; its place is the message's number."""
    return sorted((arrival for load in workload for arrival in _of(load)), key=lambda arrival: arrival.at)


def _of(load: Load) -> list[Arrival]:
    if isinstance(load, Burst):
        count, gap = load.count, load.over / load.count if load.count else 0.0
    else:
        count, gap = round(load.per_second * load.seconds), 1 / load.per_second
    return [
        Arrival(
            milliseconds(load.at + k * gap),
            load.queue,
            load.body_bytes,
            f"group-{k % load.groups}" if load.groups else "",
        )
        for k in range(count)
    ]


def body_text(message: int, body_bytes: int) -> str:
    """Return the body of a message of a workload: its number as JSON, filled up to its size."""
    text = f'{{"message": {message}}}'
    return text.ljust(body_bytes) if len(text) <= body_bytes else str(message)


def check_load(checks: Checks, load: Load) -> None:
    """Note what is wrong with one entry of a workload, its queue apart."""
    match load:
        case Burst():
            checks.whole("count", load.count, 0, 1_000_000, "messages")
            checks.number("over", load.over, 0, unit="seconds")
        case Steady():
            if checks.number("per_second", load.per_second, 0, 100_000, "messages a second") and load.per_second <= 0:
                checks.refuse("per_second", load.per_second, "must be above 0")
            checks.number("seconds", load.seconds, 0, 1_209_600, "seconds")
    checks.number("at", load.at, 0, unit="seconds")
    checks.whole("body_bytes", load.body_bytes, 1, 1_048_576, "bytes", "SZ-1")
    checks.whole("groups", load.groups, 0, None, "message groups")

"""Workloads: the messages that producers send, to which queue and when. Nothing in a workload is random.

Messages are numbered 0, 1, 2 … over the whole workload in the order in which they are sent. This number identifies the
message everywhere: in behaviours, fault plans and histories.
"""

from collections.abc import Iterable
from typing import TypeAlias

import attrs

from chaosqs.model.time import milliseconds
from chaosqs.model.values import Checks, concise_repr


@attrs.frozen(repr=False)
class Burst:
    """A number of messages, all at once or spread evenly over a period."""

    queue: str
    count: int
    """Number of messages; 0 to 1,000,000."""
    at: float = 0
    """Seconds after the start at which the first message is sent."""
    over: float = 0
    """Seconds over which the messages are spread evenly; 0: all at once."""
    body_bytes: int = 100
    """Size of each body; 1 to the queue's maximum message size (SZ-1)."""
    groups: int = 0
    """0: no message group; n: round-robin over n message groups (FF-2, FQ-1)."""

    __repr__ = concise_repr


@attrs.frozen(repr=False)
class Steady:
    """Messages at a constant rate for a period."""

    queue: str
    per_second: float
    """Messages per second; above 0, at most 100,000."""
    seconds: float
    """Length of the period; 0 to 1,209,600."""
    at: float = 0
    """Seconds after the start at which the first message is sent."""
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
    """Time of sending, in milliseconds."""
    queue: str
    body_bytes: int
    group: str
    """Message group id, or empty."""


def arrivals(workload: Iterable[Load]) -> list[Arrival]:
    """Return every message of a workload in the order of sending; its index is the message's number."""
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
    """Note the problems of one entry of a workload, except those of its queue."""
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

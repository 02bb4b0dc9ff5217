"""What a run records of a poller alone: calls that brought nothing, and batches that it keeps or forgets."""

from __future__ import annotations

import attrs


@attrs.frozen
class ReceiveFailed:
    """A receive failed, or came back empty, by a fault although messages wait (EF-8, RX-4, IF-3)."""

    at: int
    cause: int | None
    queue: str
    mapping: str
    poller: int
    fault: str


@attrs.frozen
class ReceivedNothing:
    """Receives that came back empty: `count` long polls one after another since `since`, each `every` ms long.

    They are recorded together, when the poller gets a message at last, or lets go.
    """

    at: int
    cause: int | None
    queue: str
    mapping: str
    poller: int
    count: int
    since: int
    every: int


@attrs.frozen
class Released:
    """A poller forgot its batch without deleting it; the messages come back when their visibility ends."""

    at: int
    cause: int | None
    mapping: str
    poller: int
    messages: tuple[int, ...]
    why: str
    """`throttled` (for a whole visibility timeout), `failed`, `service error`, `no answer` or `restarted`."""
    fault: str = ""


@attrs.frozen
class Held:
    """A poller holds its batch, or its next call, until `until`, by a fault."""

    at: int
    cause: int | None
    mapping: str
    poller: int
    messages: tuple[int, ...]
    until: int
    fault: str

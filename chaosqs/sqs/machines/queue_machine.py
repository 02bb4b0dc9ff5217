"""What standard and FIFO queues have in common, for those who use them without caring which one it is."""

from __future__ import annotations

from enum import Enum, auto
from typing import Protocol

import attrs

from chaosqs.model.design import Queue
from chaosqs.sqs.machines.message import Message, Receipt
from chaosqs.sqs.machines.store import Store

# What chance may decide about one receive: it is drawn outside and handed in. ----------------------------------------


@attrs.frozen
class Chance:
    """The chance of one receive; as made without arguments it is calm: all servers, in order."""

    servers: tuple[bool, ...] = ()
    """Short polling asks a sample of the servers: True for each that is asked; empty: all are (RX-4).

    Assumed: message n lives on server n modulo their number."""
    skip: int = 0
    """How many messages at the head of the line the receive passes over: order is best effort (OR-1)."""

    def asks(self, number: int) -> bool:
        """Tell whether the server of a message is asked."""
        return not self.servers or self.servers[number % len(self.servers)]


CALM = Chance()
MOST_PASSED_OVER = 1000
"""Assumed: messages at the head of the line that a receive looks at, at the most, for one that it may take."""


# What a queue answers to a change of a message's visibility or to its deletion. --------------------------------------


class Outcome(Enum):
    """What became of it."""

    DONE = auto()
    STAYED = auto()
    """The receipt is not the latest one of the message: the answer is a success, and nothing changed (RH-4)."""
    GONE = auto()
    """The message is not in the queue any more (RH-7, VT-13)."""
    EXPIRED = auto()
    """FIFO: the receipt's visibility is over (RH-5)."""
    BEYOND = auto()
    """More than twelve hours since the receive (VT-9)."""


# ---------------------------------------------------------------------------------------------------------------------

TWELVE_HOURS = 43_200_000
"""Milliseconds that a message may stay hidden after one receive (VT-8)."""
IN_FLIGHT_QUOTA = 120_000
"""Messages that may be in flight (IF-1, IF-4, IF-6; for standard queues it is approximate)."""


class QueueMachine(Protocol):
    """A queue as a state machine; all moments are milliseconds."""

    queue: Queue
    store: Store
    in_flight_quota: int

    @property
    def visible(self) -> int:
        """How many messages are not hidden."""
        ...

    @property
    def stored(self) -> int:
        """How many messages there are."""
        ...

    @property
    def receivable(self) -> bool:
        """Whether a receive that asks all servers would find something."""
        ...

    def accept(self, message: Message, *, now: int, delay: int | None = None) -> None:
        """Take a new or moved message in, after a delay of so many milliseconds; None: the queue's."""
        ...

    def receive(
        self, maximum: int, *, now: int, visibility_timeout: int | None = None, chance: Chance = CALM
    ) -> tuple[list[Receipt], list[Message]]:
        """Return up to `maximum` messages with new receipts, and those found over max_receive_count."""
        ...

    def delete(self, receipt: Receipt) -> Outcome:
        """Delete by receipt."""
        ...

    def change_visibility(self, receipt: Receipt, timeout: int, *, now: int) -> Outcome:
        """Hide a message for so many milliseconds from now (VT-6)."""
        ...

    def settle(self, *, now: int) -> list[Message]:
        """Make visible what is due, and return it in the order of its moments."""
        ...

    def expire(self, *, now: int) -> list[Message]:
        """Let what is past its retention go, and return it."""
        ...

    def next_expiry(self) -> int | None:
        """When the next message's retention ends, or None."""
        ...

    def take_out(self, message: Message) -> None:
        """Let a visible message go: it moves elsewhere."""
        ...

    def head(self) -> Message | None:
        """Return the first visible message, or None."""
        ...

    def purge(self) -> list[Message]:
        """Let everything go, and return it (PQ-1)."""
        ...

    def configure(self, queue: Queue, *, now: int) -> None:
        """Change the queue's attributes."""
        ...


def beyond_cap(message: Message, timeout: int, now: int) -> bool:
    """Tell whether a new timeout would hide a message for over twelve hours since its receive (VT-8, VT-9)."""
    return now + timeout > message.received_at + TWELVE_HOURS

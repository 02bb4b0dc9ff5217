"""The interface that the machines of standard and FIFO queues share."""

from enum import Enum, auto
from typing import Protocol

import attrs

from chaosqs.model.design import Queue
from chaosqs.sqs.machines.message import Message, Receipt
from chaosqs.sqs.machines.store import Store

# The random choices of one receive, which the caller draws and passes in ----------------------------------------------


@attrs.frozen
class Chance:
    """The random choices of one receive. The default is calm: all servers, in order."""

    servers: tuple[bool, ...] = ()
    """For each server, True if a short poll asks it; empty: all are asked (RX-4).

    Assumed: message n is on server n modulo the number of servers."""
    skip: int = 0
    """Number of messages at the head of the queue to pass over, as order is best effort (OR-1)."""

    def asks(self, number: int) -> bool:
        """Return True if the server of a message is asked."""
        return not self.servers or self.servers[number % len(self.servers)]


CALM = Chance()
MOST_PASSED_OVER = 1000
"""Assumed: maximum messages at the head of the queue that a receive passes over."""


# Results of a visibility change or a delete ---------------------------------------------------------------------------


class Outcome(Enum):
    """The result of a visibility change or a delete."""

    DONE = auto()
    STAYED = auto()
    """The receipt is not the message's latest one: the answer is a success, and nothing changes (RH-4)."""
    GONE = auto()
    """The message is no longer in the queue (RH-7, VT-13)."""
    EXPIRED = auto()
    """FIFO: the visibility timeout of the receipt is over (RH-5)."""
    BEYOND = auto()
    """The message would be hidden for more than twelve hours since its receive (VT-9)."""


# Queues ---------------------------------------------------------------------------------------------------------------

TWELVE_HOURS = 43_200_000
"""Maximum milliseconds that a message stays hidden after one receive (VT-8)."""
IN_FLIGHT_QUOTA = 120_000
"""Maximum messages in flight (IF-1, IF-4, IF-6; approximate on AWS's standard queues)."""


class QueueMachine(Protocol):
    """A queue as a state machine; all times are in milliseconds."""

    queue: Queue
    store: Store
    in_flight_quota: int

    @property
    def visible(self) -> int:
        """Number of messages that are not hidden."""
        ...

    @property
    def stored(self) -> int:
        """Number of messages in the queue."""
        ...

    @property
    def receivable(self) -> bool:
        """True if a receive that asks all servers would return messages."""
        ...

    def accept(self, message: Message, *, now: int, delay: int | None = None) -> None:
        """Add a new or moved message, hidden for `delay` milliseconds at first; None: the queue's delay."""
        ...

    def receive(
        self, maximum: int, *, now: int, visibility_timeout: int | None = None, chance: Chance = CALM
    ) -> tuple[list[Receipt], list[Message]]:
        """Return up to `maximum` messages with new receipts, and those found to be over max_receive_count."""
        ...

    def delete(self, receipt: Receipt) -> Outcome:
        """Delete by receipt."""
        ...

    def change_visibility(self, receipt: Receipt, timeout: int, *, now: int) -> Outcome:
        """Hide a message for `timeout` milliseconds from now (VT-6)."""
        ...

    def settle(self, *, now: int) -> list[Message]:
        """Make due messages visible, and return them in the order of their due times."""
        ...

    def expire(self, *, now: int) -> list[Message]:
        """Remove and return the messages past their retention."""
        ...

    def next_expiry(self) -> int | None:
        """Return when the next message's retention ends, or None."""
        ...

    def take_out(self, message: Message) -> None:
        """Remove a visible message that moves to another queue."""
        ...

    def head(self) -> Message | None:
        """Return the first visible message, or None."""
        ...

    def purge(self) -> list[Message]:
        """Remove and return all messages (PQ-1)."""
        ...

    def configure(self, queue: Queue, *, now: int) -> None:
        """Change the queue's attributes."""
        ...


def beyond_cap(message: Message, timeout: int, now: int) -> bool:
    """Return True if a new timeout would hide a message for over twelve hours since its receive (VT-8, VT-9)."""
    return now + timeout > message.received_at + TWELVE_HOURS

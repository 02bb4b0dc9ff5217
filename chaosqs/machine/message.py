"""A message in the fake, and the receipt of one receive of it.

A message of a workload is a number and a size; one that a client sent has its contents besides.
"""

from __future__ import annotations

import attrs

from chaosqs.machine.attributes import Content
from chaosqs.model.workload import body_text


@attrs.define(eq=False)
class Message:
    """One message in one queue; a move to another queue makes another one of the same number."""

    number: int
    """Its identity in histories, and what its message id is made from."""
    body_bytes: int
    """Size of its body, in bytes; the contents know the size of the whole (SZ-1)."""
    sent_at: int
    """From when its retention counts (RT-1); a move to a standard dead-letter queue does not change it (DLQ-9)."""
    receive_count: int = 0
    """Receives over all queues, by whomever (RX-7, DLQ-18)."""
    deliveries: int = 0
    """Receives from the queue that it is in: what redrive compares (DLQ-2; for chains Assumed: DLQ-20)."""
    receipt: int = 0
    """Number of its latest receipt handle; 0 before the first receive from this queue (RH-1)."""
    visible_at: int = 0
    """Until when it is hidden."""
    stored: bool = True
    """False once it was deleted, expired, purged or moved away from this queue."""
    visible: bool = False
    last_event: int | None = None
    """Place of the event that made it receivable: the cause of its next receive."""
    group: str = ""
    """Message group id, or empty (FF-2, FQ-1)."""
    content: Content | None = None
    """What a client sent; None for a message of a workload."""
    place: int = 0
    """Its place in the order of the queue."""
    queued: bool = False
    """Whether the queue's order has an entry for it."""
    received_at: int = 0
    """When it was last received: the 12 hours of visibility count from here (VT-8)."""
    first_received_at: int | None = None
    """When it was received for the first time, from any queue (RX-10; Assumed: a move does not change it)."""
    source: str = ""
    """Name of the queue that it was dead-lettered from, or empty (DLQ-8)."""
    copy_of: int | None = None
    """The message whose contents it repeats: it was sent again (OR-4), or moved back (MV-4)."""


@attrs.frozen
class Receipt:
    """A receipt handle: which receive of which message (RH-1)."""

    message: Message
    number: int


def body_of(message: Message) -> str:
    """Return a message's body; that of a message of a workload is its number as JSON, filled up to its size."""
    if message.content is not None:
        return message.content.body
    return body_text(message.number if message.copy_of is None else message.copy_of, message.body_bytes)

"""A message in a simulated queue, and the receipt of one receive of it.

A message of a workload is a number and a size. A message that a client sent also has its contents.
"""

import hashlib
from base64 import b64decode, b64encode
from binascii import Error
from struct import Struct

import attrs

from chaosqs.model.workload import body_text
from chaosqs.sqs.machines.attributes import Content

# Message ids, receipt handles and sequence numbers, which look like AWS's and come from counters ----------------------
#
# A receipt handle encodes the numbers of queue, message and receipt. So no table of handles is kept, and a handle that
# was made up is recognised (RH-9).

_PREFIX = "AQEB"
_FILLER = 168  # bytes
_FIELDS = Struct(">QQQ")
_FIRST_SEQUENCE_NUMBER = 18_850_000_000_000_000_000
_SEQUENCE_STRIDE = 256


def message_id(number: int) -> str:
    """Return the id of a message: a UUID of version 4 in shape, 36 characters (RH-1)."""
    return uuid(b"message", number)


def uuid(kind: bytes, number: int) -> str:
    """Return the id of the n-th thing of a kind, in the shape of a UUID of version 4."""
    digits = hashlib.blake2b(number.to_bytes(8, "big"), digest_size=16, person=kind[:16]).hexdigest()
    return (
        f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{'89ab'[int(digits[16], 16) & 3]}{digits[17:20]}-{digits[20:]}"
    )


def sequence_number(index: int) -> str:
    """Return the sequence number of the n-th message of a FIFO queue: 20 digits, not consecutive (FF-12)."""
    return str(_FIRST_SEQUENCE_NUMBER + index * _SEQUENCE_STRIDE)


def receipt_handle(queue: int, message: int, receipt: int) -> str:
    """Return the handle of one receive of one message of one queue: 260 characters (RH-1)."""
    fields = _FIELDS.pack(queue, message, receipt)
    filler = hashlib.shake_128(fields).digest(_FILLER)
    return _PREFIX + b64encode(filler + _masked(fields, filler)).decode()


def read_receipt_handle(handle: str) -> tuple[int, int, int] | None:
    """Return queue, message and receipt of a handle, or None if it was made up (RH-9)."""
    if not handle.startswith(_PREFIX):
        return None
    try:
        data = b64decode(handle[len(_PREFIX) :].encode(), validate=True)
    except (Error, ValueError):
        return None
    if len(data) != _FILLER + _FIELDS.size:
        return None
    queue, message, receipt = _FIELDS.unpack(_masked(data[_FILLER:], data[:_FILLER]))
    return (queue, message, receipt) if receipt_handle(queue, message, receipt) == handle else None


def _masked(fields: bytes, filler: bytes) -> bytes:
    mask = hashlib.shake_128(filler).digest(len(fields))
    return (int.from_bytes(fields, "big") ^ int.from_bytes(mask, "big")).to_bytes(len(fields), "big")


# Messages and receipts ------------------------------------------------------------------------------------------------


@attrs.define(eq=False)
class Message:
    """One message in one queue; a move to a dead-letter queue makes another one of the same number."""

    number: int
    """Identity in histories, from which the message id is made."""
    body_bytes: int
    """Bytes of the body; of a message that a client sent, bytes of the whole content (SZ-1)."""
    sent_at: int
    """Moment from which retention counts (RT-1); a move to a standard dead-letter queue does not change it (DLQ-9)."""
    receive_count: int = 0
    """Number of receives over all queues and consumers (RX-7, DLQ-18)."""
    deliveries: int = 0
    """Number of receives from its present queue, which redrive compares (DLQ-2; for chains Assumed: DLQ-20)."""
    receipt: int = 0
    """Number of the latest receipt handle; 0 before the first receive from this queue (RH-1)."""
    visible_at: int = 0
    """Moment until which it is hidden."""
    stored: bool = True
    """False once it was deleted, expired, purged or moved away from this queue."""
    visible: bool = False
    last_event: int | None = None
    """Index of its latest event, which is the cause of the next one."""
    group: str = ""
    """Message group id, or empty (FF-2, FQ-1)."""
    content: Content | None = None
    """Contents that a client sent; None for a message of a workload."""
    index: int = 0
    """Position in the order of the queue."""
    queued: bool = False
    """True if the queue's order has an entry for it."""
    received_at: int = 0
    """Moment of the latest receive, from which the 12 hours of visibility count (VT-8)."""
    first_received_at: int | None = None
    """Moment of the first receive from any queue (RX-10; Assumed: a move does not change it)."""
    source: str = ""
    """Name of the queue that it was dead-lettered from, or empty (DLQ-8)."""
    copy_of: int | None = None
    """Number of the message whose contents it repeats: it was sent again (OR-4), or moved back (MV-4)."""


@attrs.frozen
class Receipt:
    """A receipt handle: the number of one receive of a message (RH-1)."""

    message: Message
    number: int


def body_of(message: Message) -> str:
    """Return a message's body. For a message of a workload it is the number as JSON, filled up to the size."""
    if message.content is not None:
        return message.content.body
    return body_text(message.number if message.copy_of is None else message.copy_of, message.body_bytes)


# Messages after a move: into a dead-letter queue (DLQ-6 … DLQ-15), or out of it (MV-4, MV-5) --------------------------
#
# Receives after a reported failure count like all others (EQ-5).


def dead_lettered(message: Message, source: str, *, fifo: bool, index: int, now: int) -> Message:
    """Return a message as it enters a dead-letter queue.

    It keeps its id, contents and receive count (DLQ-6, DLQ-7). On standard queues its retention goes on from the first
    send (DLQ-9). On FIFO queues retention starts anew, and the id replaces the deduplication id (DLQ-10, DLQ-15).
    """
    content = message.content
    if fifo and content is not None:
        content = attrs.evolve(content, deduplication_id=message_id(message.number))
    return Message(
        message.number,
        message.body_bytes,
        now if fifo else message.sent_at,
        message.receive_count,
        last_event=index,
        group=message.group,
        content=content,
        first_received_at=message.first_received_at,
        source=source,
        copy_of=message.copy_of,
    )


def redriven(message: Message, number: int, *, now: int) -> Message:
    """Return a message as it leaves a dead-letter queue: new in everything but its contents (MV-4, MV-5)."""
    first = message.number if message.copy_of is None else message.copy_of
    return Message(number, message.body_bytes, now, group=message.group, content=message.content, copy_of=first)

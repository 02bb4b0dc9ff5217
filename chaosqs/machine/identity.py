"""Message ids, receipt handles and sequence numbers: they look as AWS's do, and come from counters.

A receipt handle says in itself which receive of which message of which queue it is, so no table of handles is kept,
and a handle that was made up is known for garbage (RH-9).
"""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from binascii import Error
from struct import Struct

_PREFIX = "AQEB"
_FILLER = 168
_FIELDS = Struct(">QQQ")
_FIRST_SEQUENCE_NUMBER = 18_850_000_000_000_000_000
_SEQUENCE_STRIDE = 256


def message_id(number: int) -> str:
    """Return the id of a message: a UUID of version 4 in shape, 36 characters (RH-1)."""
    return uuid(b"message", number)


def uuid(kind: bytes, number: int) -> str:
    """Return the id, in the shape of a UUID of version 4, of the n-th thing of a kind."""
    digits = hashlib.blake2b(number.to_bytes(8, "big"), digest_size=16, person=kind[:16]).hexdigest()
    return (
        f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{'89ab'[int(digits[16], 16) & 3]}{digits[17:20]}-{digits[20:]}"
    )


def sequence_number(place: int) -> str:
    """Return the sequence number of the n-th message of a FIFO queue: 20 digits, not consecutive (FF-12)."""
    return str(_FIRST_SEQUENCE_NUMBER + place * _SEQUENCE_STRIDE)


def receipt_handle(queue: int, message: int, receipt: int) -> str:
    """Return the handle of one receive of one message of one queue: 260 characters (RH-1)."""
    fields = _FIELDS.pack(queue, message, receipt)
    filler = hashlib.shake_128(fields).digest(_FILLER)
    return _PREFIX + b64encode(filler + _masked(fields, filler)).decode()


def read_receipt_handle(handle: str) -> tuple[int, int, int] | None:
    """Return queue, message and receipt of a handle, or None where it is none of ours (RH-9)."""
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

"""What a client put into a message, its size and its digests (SZ-1, AT-5, AT-6)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from struct import pack
from typing import TypeAlias

import attrs

_STRING, _BINARY = b"\x01", b"\x02"


@attrs.frozen
class Attribute:
    """The value of one message attribute."""

    data_type: str
    """`String`, `Number` or `Binary`, with a custom label after a dot where the sender gave one (AT-2)."""
    value: str | bytes


Attributes: TypeAlias = Mapping[str, Attribute]


@attrs.frozen(eq=False)
class Content:
    """What a client sent."""

    body: str
    attributes: Attributes
    trace_header: str = ""
    """The one system attribute that a sender can set: `AWSTraceHeader` (AT-4)."""
    sender: str = ""
    """`SenderId`."""
    deduplication_id: str = ""
    """FIFO: explicit, or the SHA-256 of the body (FF-3, FF-4)."""
    body_md5: str = ""
    attributes_md5: str = ""
    """Empty where there are no attributes."""
    size: int = 0
    """Bytes that count against the limits (SZ-1)."""


def body_md5(body: str) -> str:
    """Return the MD5 of a body's UTF-8 bytes, in hexadecimal digits (AT-5)."""
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def body_sha256(body: str) -> str:
    """Return the deduplication id of a body where the queue deduplicates by content: attributes do not count (FF-4)."""
    return hashlib.sha256(body.encode()).hexdigest()


def attributes_md5(attributes: Attributes) -> str:
    """Return the MD5 of message attributes in hexadecimal digits, or an empty string where there are none (AT-6)."""
    if not attributes:
        return ""
    seen = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        transport = _BINARY if isinstance(attribute.value, bytes) else _STRING
        seen.update(_measured(name) + _measured(attribute.data_type) + transport + _measured(attribute.value))
    return seen.hexdigest()


def size(body: str, attributes: Attributes) -> int:
    """Return the bytes of a body and of each attribute's name, type and value; system attributes are free (SZ-1)."""
    total = len(body.encode())
    for name, attribute in attributes.items():
        total += len(name.encode()) + len(attribute.data_type.encode()) + len(_bytes(attribute.value))
    return total


def _measured(value: str | bytes) -> bytes:
    data = _bytes(value)
    return pack(">I", len(data)) + data


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()

"""The contents of a client's message, their size and their digests (SZ-1, AT-5, AT-6)."""

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
    """`String`, `Number` or `Binary`, with a custom label after a dot if the sender gave one (AT-2)."""
    value: str | bytes


Attributes: TypeAlias = Mapping[str, Attribute]


@attrs.frozen(eq=False)
class Content:
    """The contents of a message that a client sent."""

    body: str
    attributes: Attributes
    trace_header: str = ""
    """`AWSTraceHeader`, the only system attribute that a sender can set (AT-4)."""
    sender: str = ""
    """`SenderId`."""
    deduplication_id: str = ""
    """FIFO: explicit, or the SHA-256 of the body (FF-3, FF-4)."""
    body_md5: str = ""
    attributes_md5: str = ""
    """Empty if there are no attributes."""
    size: int = 0
    """Bytes that count against the limits (SZ-1)."""


def body_md5(body: str) -> str:
    """Return the MD5 of a body's UTF-8 bytes, in hexadecimal digits (AT-5)."""
    return hashlib.md5(body.encode(), usedforsecurity=False).hexdigest()


def body_sha256(body: str) -> str:
    """Return the deduplication id for content-based deduplication: attributes do not count (FF-4)."""
    return hashlib.sha256(body.encode()).hexdigest()


def attributes_md5(attributes: Attributes) -> str:
    """Return the MD5 of message attributes in hexadecimal digits, or an empty string if there are none (AT-6)."""
    if not attributes:
        return ""
    md5 = hashlib.md5(usedforsecurity=False)
    for name in sorted(attributes):
        attribute = attributes[name]
        transport = _BINARY if isinstance(attribute.value, bytes) else _STRING
        md5.update(_with_length(name) + _with_length(attribute.data_type) + transport + _with_length(attribute.value))
    return md5.hexdigest()


def size(body: str, attributes: Attributes) -> int:
    """Return the bytes of a body and of each attribute's name, type and value; system attributes are free (SZ-1)."""
    total = len(body.encode())
    for name, attribute in attributes.items():
        total += len(name.encode()) + len(attribute.data_type.encode()) + len(_bytes(attribute.value))
    return total


def _with_length(value: str | bytes) -> bytes:
    data = _bytes(value)
    return pack(">I", len(data)) + data


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()

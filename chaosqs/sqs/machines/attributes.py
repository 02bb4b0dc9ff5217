"""The contents of a message, their size and their digests (SZ-1, AT-5, AT-6)."""

import hashlib
from struct import pack

import attrs

from chaosqs.model.message import Attributes, content_bytes
from chaosqs.model.message import Message as Sending

_STRING, _BINARY = b"\x01", b"\x02"


SENDER = "AIDACKCEVSQ6C2EXAMPLE"
"""`SenderId` of every message. Assumed: the caller is one IAM user, the one of AWS's documentation."""


@attrs.frozen(eq=False)
class Content:
    """The contents of a message that a client sent, or that a workload gives."""

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


def _with_length(value: str | bytes) -> bytes:
    data = _bytes(value)
    return pack(">I", len(data)) + data


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()


def content_of(sending: Sending, *, fifo: bool, own_id: str, content_based: bool) -> Content:
    """Return the contents of a workload's message; `own_id` is its id on SQS.

    Assumed: a producer that gives no deduplication id to a queue that needs one gives the message's own id (FF-3).
    """
    deduplication_id = ""
    if fifo:
        deduplication_id = sending.deduplication_id or (body_sha256(sending.body) if content_based else own_id)
    return Content(
        sending.body,
        sending.attributes,
        sender=SENDER,
        deduplication_id=deduplication_id,
        body_md5=body_md5(sending.body),
        attributes_md5=attributes_md5(sending.attributes),
        size=content_bytes(sending.body, sending.attributes),
    )

"""What passes through the door: HTTP requests as botocore sends them, HTTP responses as botocore parses them."""

from __future__ import annotations

import attrs
from botocore.awsrequest import AWSPreparedRequest


@attrs.frozen
class Reply:
    """The part of an HTTP response that depends on the service."""

    status: int
    headers: dict[str, str]
    body: bytes


def header(request: AWSPreparedRequest, name: str) -> str:
    """Return a header as text; empty where it is missing. Botocore encodes some and leaves others as they are."""
    value: object = request.headers.get(name, "")
    return value.decode() if isinstance(value, bytes) else str(value)


def body_text(request: AWSPreparedRequest) -> str:
    """Return the body as text: botocore has it as bytes, text or nothing."""
    match request.body:
        case bytes() | bytearray() as raw:
            return raw.decode()
        case str() as text:
            return text
        case _:
            return ""

"""What passes through the door: HTTP requests as botocore sends them, HTTP responses as botocore parses them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import attrs
from botocore.awsrequest import AWSPreparedRequest

from chaosqs.simulator.operations.errors import ApiError


@attrs.frozen
class Reply:
    """The part of an HTTP response in which the protocols differ."""

    status: int
    headers: dict[str, str]
    body: bytes


class Dialect(Protocol):
    """One of the protocols that clients of SQS speak."""

    def operation(self, request: AWSPreparedRequest) -> str:
        """Return the name of the operation that a request asks for."""
        ...

    def parameters(self, operation: str, request: AWSPreparedRequest) -> dict[str, object]:
        """Return a request's parameters as botocore's model names them; raises `ApiError` where types are wrong."""
        ...

    def answer(self, operation: str, result: Mapping[str, object], request_id: str) -> Reply:
        """Write the result of an operation."""
        ...

    def refuse(self, error: ApiError, request_id: str) -> Reply:
        """Write an error."""
        ...


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

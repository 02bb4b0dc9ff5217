"""What passes through the door: HTTP requests as botocore sends them, HTTP responses as botocore parses them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import AbstractContextManager
from threading import RLock
from typing import Protocol

import attrs
from botocore.awsrequest import AWSPreparedRequest

from chaosqs.sqs.api.parameters import Parameters, sequence, structure
from chaosqs.sqs.api.region import REGION

# Locks for clients in threads: callers take turns, so nothing they do is lost. ---------------------------------------
#
# The simulator knows no threads otherwise, and the order in which threads get their turn is the one thing in it that
# a run cannot repeat.

Turn = AbstractContextManager[object]


def turns() -> Turn:
    """Return a lock that its holder may take again."""
    return RLock()


# The trace header that botocore adds where it runs in Lambda: SQS keeps it with the messages that are sent (LX-16). ---
#
# Worlds read it off the request, as SQS does; a run of `simulate`, whose handlers have no environment of their own,
# makes it from the invocation that sends. Here it is put to the messages, for both.


def traced(operation: str, parameters: Parameters, trace: str) -> Parameters:
    """Return the parameters of a call with a trace header for each message; one of the sender's own stays."""
    own = {"MessageSystemAttributes": {"AWSTraceHeader": {"StringValue": trace, "DataType": "String"}}}
    if trace and operation == "SendMessage":
        return {**own, **parameters}
    if trace and operation == "SendMessageBatch" and "Entries" in parameters:
        return {**parameters, "Entries": [{**own, **structure(entry)} for entry in sequence(parameters, "Entries")]}
    return parameters


# The one thing that differs between a test that drives time and a simulation that is driven by it: how to wait. ------


class Waiter(Protocol):
    """Answers calls in virtual time, on behalf of whoever made them."""

    def call(self, operation: str, parameters: Mapping[str, object], *, region: str) -> Mapping[str, object]:
        """Carry out an operation of SQS; a long poll returns when it has its answer. Raises `ApiError`."""
        ...

    def sleep(self, seconds: float) -> None:
        """Let the caller sleep: what botocore does between two attempts."""
        ...

    def jitter(self) -> float:
        """Return the chance, from 0 to 1, by which botocore shortens a sleep between two attempts."""
        ...

    def epoch(self) -> float:
        """Return the time as AWS's clocks have it, in seconds since 1970."""
        ...


# ---------------------------------------------------------------------------------------------------------------------


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


# Where a request says which Region it is for: in the scope of its signature, as AWS itself reads it. -----------------
#
# The address does not always tell: it may be one of the user's own.

_SCOPE = re.compile(r"Credential=[^/]*/[^/]*/([^/]+)/")


def scope(service: str, region: str) -> str:
    """Return an Authorization header that names a scope, and signs nothing."""
    return f"AWS4-HMAC-SHA256 Credential=chaosqs/19700101/{region}/{service}/aws4_request"


def region_of(request: AWSPreparedRequest) -> str:
    """Return the Region that a request is for, the default one where it does not say."""
    found = _SCOPE.search(header(request, "Authorization"))
    return REGION if found is None else found[1]

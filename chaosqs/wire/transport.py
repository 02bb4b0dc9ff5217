"""One door: HTTP requests of clients in, HTTP responses out, and never a socket between them."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from email.utils import formatdate
from io import BytesIO
from itertools import count
from urllib.parse import urlsplit

import attrs
from botocore.awsrequest import AWSPreparedRequest, AWSResponse

from chaosqs.errors import SimulationError
from chaosqs.sqs.api.parameters import ApiError, error
from chaosqs.sqs.machines.message import uuid
from chaosqs.wire.http import Api, Reply, Waiter, body_text, header, region_of, traced
from chaosqs.wire.shapes import Json, is_operation, malformed, modelled_errors, output_shape, parameters_reader

# The JSON protocol of SQS, which AWS's SDKs speak since November 2023: `X-Amz-Target: AmazonSQS.SendMessage`. --------
#
# Errors carry the code of the older query protocol in a header; clients show that one as `Error.Code` (ledger 3.1).

_CONTENT_TYPE = "application/x-amz-json-1.0"
_TARGET = "AmazonSQS."


def operation_of(request: AWSPreparedRequest) -> str:
    """Return what follows `AmazonSQS.` in the target; empty where the request has none."""
    return header(request, "X-Amz-Target").removeprefix(_TARGET)


def parameters_of(operation: str, request: AWSPreparedRequest) -> dict[str, object]:
    """Read the body by botocore's model; raises `ApiError` where types are wrong."""
    try:
        given: Json = json.loads(body_text(request) or "{}")
    except ValueError:
        raise malformed("The request is not valid JSON") from None
    return parameters_reader(operation)(given)


def answer(operation: str, result: Mapping[str, object]) -> Reply:
    """Write a result; an operation that has none answers with an empty body."""
    body = b"" if output_shape(operation) is None else json.dumps(result, default=_base64).encode()
    return Reply(200, {"Content-Type": _CONTENT_TYPE}, body)


def refuse(error: ApiError) -> Reply:
    """Write an error: its shape in the body, its older code and whose fault it is in a header."""
    namespace = "com.amazonaws.sqs" if error.shape in modelled_errors() else "com.amazon.coral.service"
    body = {"__type": f"{namespace}#{error.shape}", "message": error.message}
    fault = "Sender" if error.sender_fault else "Receiver"
    headers = {"Content-Type": _CONTENT_TYPE, "x-amzn-query-error": f"{error.code};{fault}"}
    return Reply(error.status, headers, json.dumps(body).encode())


def _base64(value: object) -> str:
    assert isinstance(value, bytes), value
    return b64encode(value).decode()


# ---------------------------------------------------------------------------------------------------------------------


@attrs.define(eq=False)
class Transport:
    """Answers what clients send while a world is open."""

    waiter: Waiter
    services: Mapping[str, Api] = attrs.field(factory=dict[str, Api])
    """Services beside SQS, by their endpoint prefix."""
    others: Api | None = None
    """Answers for all other services. None: their requests are refused."""
    is_open: bool = True
    _requests: Iterator[int] = attrs.field(factory=lambda: count(1))

    def send(self, service: str, request: AWSPreparedRequest) -> AWSResponse:
        """Answer a request; raises `SimulationError` where nobody here serves it."""
        if service == "sqs":
            return self._sqs(request)
        api = self.services.get(service, self.others)
        answer = None if api is None else api(request)
        if answer is None:
            raise SimulationError(_not_served(service, request))
        return self._response(request, answer, self._request_id()) if isinstance(answer, Reply) else answer

    def _sqs(self, request: AWSPreparedRequest) -> AWSResponse:
        if not header(request, "X-Amz-Target"):
            raise SimulationError(_NOT_JSON)
        return self._response(request, self._reply(request), self._request_id())

    def _request_id(self) -> str:
        return uuid(b"request", next(self._requests))

    def _reply(self, request: AWSPreparedRequest) -> Reply:
        operation = operation_of(request)
        try:
            if not is_operation(operation):
                raise error("UnknownOperationException", f"The action {operation} is not valid for this endpoint.")
            asked = parameters_of(operation, request)
            parameters = traced(operation, asked, header(request, "X-Amzn-Trace-Id"))
            result = self.waiter.call(operation, parameters, region=region_of(request))
        except ApiError as refusal:
            return refuse(refusal)
        return answer(operation, result)

    def _response(self, request: AWSPreparedRequest, reply: Reply, request_id: str) -> AWSResponse:
        headers = reply.headers | {
            "x-amzn-RequestId": request_id,
            "Date": formatdate(self.waiter.epoch() // 1, usegmt=True),
            "Content-Length": str(len(reply.body)),
            "connection": "keep-alive",
        }
        # The stubs ask for less than botocore takes.
        return AWSResponse(request.url, reply.status, headers, _Raw(reply.body))  # type: ignore[arg-type]


class _Raw(BytesIO):
    """The body as botocore reads it from a connection."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


def _not_served(service: str, request: AWSPreparedRequest) -> str:
    target = header(request, "X-Amz-Target").rpartition(".")[2]
    operation = target or _action(request) or f"{request.method} {urlsplit(request.url).path}"
    return (
        f"{service} {operation}: chaosqs answers for Lambda and SQS only, and lets nothing out to the network. "
        'Where moto is to answer it, open the world with chaosqs.aws(passthrough="moto").'
    )


def _action(request: AWSPreparedRequest) -> str:
    first = body_text(request).partition("&")[0] if header(request, "Content-Type").startswith(_FORM) else ""
    return first.removeprefix("Action=") if first.startswith("Action=") else ""


_FORM = "application/x-www-form-urlencoded"
_NOT_JSON = (
    "SQS got a request in the query protocol, and chaosqs speaks the JSON protocol only: "
    "the client has to be boto3 1.35 or later, or botocore 1.31.81 or later."
)

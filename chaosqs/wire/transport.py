"""The transport: it answers HTTP requests of botocore clients in process, without a socket, in SQS's JSON protocol."""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from email.utils import formatdate
from functools import cache
from io import BytesIO
from itertools import count
from typing import NoReturn, Protocol, TypeAlias
from urllib.parse import urlsplit

import attrs
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.loaders import create_loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from chaosqs.sqs.api.parameters import ApiError, error, traced
from chaosqs.sqs.api.region import REGION
from chaosqs.sqs.machines.message import uuid
from chaosqs.wire.http import Reply
from chaosqs.wire.stubs import Answer, ClientCall

# Calls and sleeps in virtual time: tests move time themselves, simulations do not -------------------------------------


class Waiter(Protocol):
    """Carries out calls in virtual time, on behalf of their callers."""

    def call(self, operation: str, parameters: Mapping[str, object], *, region: str) -> Mapping[str, object]:
        """Carry out an operation of SQS; a long poll returns when it has its response. Raises `ApiError`."""
        ...

    def sleep(self, seconds: float) -> None:
        """Suspend the caller, as botocore does between two attempts."""
        ...

    def jitter(self) -> float:
        """Return the random share, from 0 to 1, by which botocore shortens a sleep between two attempts."""
        ...

    def epoch(self) -> float:
        """Return the time as AWS's clocks have it, in seconds since 1970."""
        ...

    def refuse(self, call: str, why: str) -> NoReturn:
        """Raise `SimulationError`: nothing answers a call. In a handler it ends the run, whatever that catches."""
        ...


# HTTP requests as botocore sends them, responses as botocore parses them ----------------------------------------------


Others: TypeAlias = Callable[[AWSPreparedRequest, ClientCall], AWSResponse | None]
"""The function that answers for all services without an `Api`. None: it does not implement the operation."""

Api: TypeAlias = Callable[[AWSPreparedRequest], Reply | AWSResponse | None]
"""A service's function for the transport: it answers HTTP requests in the service's protocol.

The transport adds AWS's common headers to a `Reply`. None: the service does not answer this request.
"""


def header(request: AWSPreparedRequest, name: str) -> str:
    """Return a header as text; empty if it is missing. botocore has some headers as bytes and others as text."""
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


# The Region of a request: from the scope of its signature, as AWS itself reads it -------------------------------------
#
# The address does not always name it: users may have endpoints of their own.

_SCOPE = re.compile(r"Credential=[^/]*/[^/]*/([^/]+)/")


def scope(service: str, region: str) -> str:
    """Return an Authorization header that names a scope and has no signature."""
    return f"AWS4-HMAC-SHA256 Credential=chaosqs/19700101/{region}/{service}/aws4_request"


def region_of(request: AWSPreparedRequest) -> str:
    """Return the Region that a request is for; the default one if it names none."""
    found = _SCOPE.search(header(request, "Authorization"))
    return REGION if found is None else found[1]


# The shapes of SQS's operations, from the model of the installed botocore ---------------------------------------------


@cache
def service_model() -> ServiceModel:
    """Load botocore's model of SQS, once a process."""
    return ServiceModel(create_loader().load_service_model("sqs", "service-2"), "sqs")


@cache
def is_operation(name: str) -> bool:
    """Return True if SQS has an operation of that name."""
    return name in service_model().operation_names


@cache
def input_shape(operation: str) -> StructureShape:
    """Return the shape of an operation's parameters."""
    shape = _model(operation).input_shape
    assert shape is not None, operation
    return shape


@cache
def output_shape(operation: str) -> StructureShape | None:
    """Return the shape of an operation's result, or None if it has no result."""
    return _model(operation).output_shape


@cache
def modelled_errors() -> frozenset[str]:
    """Return the names of the errors that have a shape, and so an exception class of their own."""
    return frozenset(shape.name for shape in service_model().error_shapes)


def _model(operation: str) -> OperationModel:
    return service_model().operation_model(operation)


# Readers of JSON by botocore's shapes: they check types, decode binary values, omit null and unknown members ----------
#
# The reader of an operation is built once, as there may be millions of requests.

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
_Reader: TypeAlias = Callable[[Json], object]


@cache
def parameters_reader(operation: str) -> Callable[[Json], dict[str, object]]:
    """Return the function that reads the parameters of an operation; it raises `ApiError` for a wrong type."""
    return structure_reader(input_shape(operation))


def malformed(message: str) -> ApiError:
    """Return the error for a request that cannot be parsed; SQS then checks nothing else."""
    return error("SerializationException", message)


def _reader(shape: Shape) -> _Reader:
    match shape:
        case StructureShape():
            return structure_reader(shape)
        case MapShape():
            return _map_reader(_reader(shape.value))
        case ListShape():
            return _list_reader(_reader(shape.member))
        case _:
            return _SCALARS[shape.type_name]


def structure_reader(shape: StructureShape) -> Callable[[Json], dict[str, object]]:
    """Return the function that reads one structure."""
    readers = {name: _reader(member) for name, member in shape.members.items()}

    def read(value: Json) -> dict[str, object]:
        if not isinstance(value, dict):
            raise _unexpected(value, "a structure")
        return {name: readers[name](given) for name, given in value.items() if given is not None and name in readers}

    return read


def _map_reader(read_value: _Reader) -> _Reader:
    def read(value: Json) -> object:
        if not isinstance(value, dict):
            raise _unexpected(value, "a map")
        return {name: read_value(given) for name, given in value.items() if given is not None}

    return read


def _list_reader(read_element: _Reader) -> _Reader:
    def read(value: Json) -> object:
        if not isinstance(value, list):
            raise _unexpected(value, "a list")
        return [read_element(given) for given in value]

    return read


def _string(value: Json) -> str:
    if isinstance(value, str):
        return value
    raise _unexpected(value, "a String")


def _whole(value: Json) -> int:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value)
    raise _unexpected(value, "an Integer")


def _truth(value: Json) -> bool:
    if isinstance(value, bool):
        return value
    raise _unexpected(value, "a Boolean")


def _moment(value: Json) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise _unexpected(value, "a Timestamp")


def _binary(value: Json) -> bytes:
    try:
        return b64decode(_string(value), validate=True)
    except ValueError:
        raise malformed("The binary value is not valid base64") from None


_SCALARS: dict[str, _Reader] = {
    "string": _string,
    "integer": _whole,
    "long": _whole,
    "blob": _binary,
    "boolean": _truth,
    "double": _moment,
    "float": _moment,
    "timestamp": _moment,
}


def _unexpected(value: Json, wanted: str) -> ApiError:
    match value:
        case bool():
            given = "TRUE_VALUE" if value else "FALSE_VALUE"
        case str():
            given = "STRING_VALUE"
        case int() | float():
            given = "NUMBER_VALUE"
        case None:
            given = "NULL_VALUE"
        case _:
            given = "Start of structure or map or list"
    return malformed(f"{given} can not be converted to {wanted}")


# The JSON protocol of SQS, which AWS's SDKs use since November 2023: `X-Amz-Target: AmazonSQS.SendMessage` ------------
#
# Errors have the code of the older query protocol in a header; clients show that one as `Error.Code` (ledger 3.1).

_CONTENT_TYPE = "application/x-amz-json-1.0"
_TARGET = "AmazonSQS."


def operation_of(request: AWSPreparedRequest) -> str:
    """Return the operation's name, which follows `AmazonSQS.` in the target; empty if the request has no target."""
    return header(request, "X-Amz-Target").removeprefix(_TARGET)


def parameters_of(operation: str, request: AWSPreparedRequest) -> dict[str, object]:
    """Read the body by botocore's model; raise `ApiError` for a wrong type."""
    try:
        given: Json = json.loads(body_text(request) or "{}")
    except ValueError:
        raise malformed("The request is not valid JSON") from None
    return parameters_reader(operation)(given)


def success(operation: str, result: Mapping[str, object]) -> Reply:
    """Return the reply for a result; without an output shape its body is empty."""
    body = b"" if output_shape(operation) is None else json.dumps(result, default=_base64).encode()
    return Reply(200, {"Content-Type": _CONTENT_TYPE}, body)


def refuse(error: ApiError) -> Reply:
    """Return the reply for an error: its shape in the body, its older code and the party at fault in a header."""
    namespace = "com.amazonaws.sqs" if error.shape in modelled_errors() else "com.amazon.coral.service"
    body = {"__type": f"{namespace}#{error.shape}", "message": error.message}
    fault = "Sender" if error.sender_fault else "Receiver"
    headers = {"Content-Type": _CONTENT_TYPE, "x-amzn-query-error": f"{error.code};{fault}"}
    return Reply(error.status, headers, json.dumps(body).encode())


def _base64(value: object) -> str:
    assert isinstance(value, bytes), value
    return b64encode(value).decode()


# The transport --------------------------------------------------------------------------------------------------------


@attrs.define(eq=False)
class Transport:
    """Answers the requests of clients while it is open."""

    waiter: Waiter
    services: Mapping[str, Api] = attrs.field(factory=dict[str, Api])
    """Services other than SQS, by their endpoint prefix."""
    others: Others | None = None
    """Answers for all other services. None: their requests are refused."""
    advice: str = ""
    """Advice for the error if `others` is None or does not answer."""
    answers: Mapping[str, Answer] = attrs.field(factory=dict[str, Answer])
    """The functions that carry out stubbed operations, by the names of their calls: `dynamodb:PutItem`."""
    has_configuration: bool = True
    """True if clients read the configuration files of AWS; on Lambda there are none."""
    is_open: bool = True
    _requests: Iterator[int] = attrs.field(factory=lambda: count(1))

    def send(self, service: str, request: AWSPreparedRequest, call: ClientCall | None = None) -> AWSResponse:
        """Answer a request of a call; raise `SimulationError` if no service here does."""
        if service == "sqs":
            return self._sqs(request)
        api = self.services.get(service)
        if api is None:
            return self._other(
                request, call or ClientCall(service, f"{request.method} {urlsplit(request.url).path}", "")
            )
        reply = api(request)
        assert reply is not None, service
        return self._response(request, reply, self._request_id()) if isinstance(reply, Reply) else reply

    def _other(self, request: AWSPreparedRequest, call: ClientCall) -> AWSResponse:
        call.attempts += 1
        response = None if self.others is None else self.others(request, call)
        if response is None:
            self.waiter.refuse(f"{call.service} {call.operation}", self.advice)
        return response

    def _sqs(self, request: AWSPreparedRequest) -> AWSResponse:
        if not header(request, "X-Amz-Target"):
            self.waiter.refuse("sqs", _NOT_JSON)
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
        return success(operation, result)

    def _response(self, request: AWSPreparedRequest, reply: Reply, request_id: str) -> AWSResponse:
        headers = reply.headers | {
            "x-amzn-RequestId": request_id,
            "Date": formatdate(self.waiter.epoch() // 1, usegmt=True),
            "Content-Length": str(len(reply.body)),
            "connection": "keep-alive",
        }
        # The stubs are narrower than botocore.
        return AWSResponse(request.url, reply.status, headers, _Raw(reply.body))  # type: ignore[arg-type]


class _Raw(BytesIO):
    """The body as botocore reads it from a connection."""

    def stream(self) -> Iterator[bytes]:
        yield self.read()


_NOT_JSON = (
    "it speaks the query protocol, and chaosqs speaks the JSON protocol only: "
    "the client has to be boto3 1.35 or later, or botocore 1.31.81 or later"
)

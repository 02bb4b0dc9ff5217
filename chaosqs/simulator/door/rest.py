"""The REST protocol of Lambda: methods, paths, headers and JSON in, status, headers and JSON out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Protocol
from urllib.parse import parse_qsl, urlsplit

from botocore.awsrequest import AWSPreparedRequest
from botocore.model import OperationModel, Shape, StructureShape

from chaosqs.simulator.control.errors import LambdaError, not_served, not_valid
from chaosqs.simulator.door.json_reader import Json, structure_reader
from chaosqs.simulator.door.lambda_shapes import match, violations
from chaosqs.simulator.door.scope import region_of
from chaosqs.simulator.door.wire import Reply, header
from chaosqs.simulator.operations.errors import ApiError

_HEADERS = {"Content-Type": "application/json"}


class Functions(Protocol):
    """Answers calls of Lambda's operations in virtual time, on behalf of whoever made them."""

    def call_lambda(self, operation: str, parameters: Mapping[str, object], *, region: str) -> Mapping[str, object]:
        """Carry out an operation; an invocation that is waited for returns when it has ended. Raises `LambdaError`."""
        ...


def reply(functions: Functions, request: AWSPreparedRequest) -> Reply:
    """Answer a request."""
    method, path = str(request.method), urlsplit(str(request.url)).path
    found = match(method, path)
    if found is None:
        return _refusal(not_served(f"{method} {path}"))
    model, named = found
    try:
        parameters = _parameters(model, named, request)
        result = functions.call_lambda(model.name, parameters, region=region_of(request))
    except LambdaError as error:
        return _refusal(error)
    except ApiError as error:  # what SQS's readers of parameters refuse
        return _refusal(LambdaError("SerializationException", 400, error.message))
    return _answer(model, result)


# Requests -------------------------------------------------------------------------------------------------------------


def _parameters(model: OperationModel, named: Mapping[str, str], request: AWSPreparedRequest) -> dict[str, object]:
    """Read a request's parameters as botocore's model names them; raise `LambdaError` for what is out of range."""
    shape = model.input_shape
    if shape is None:
        return {}
    given: dict[str, object] = {name: _typed(shape.members[name], value) for name, value in named.items()}
    query = dict(parse_qsl(urlsplit(str(request.url)).query, keep_blank_values=True))
    for name, member in shape.members.items():
        place, key = member.serialization.get("location"), str(member.serialization.get("name", name))
        value = query.get(key) if place == "querystring" else header(request, key) if place == "header" else ""
        if value:
            given[name] = _typed(member, value)
    payload = shape.serialization.get("payload")
    if payload:
        given[payload] = _body(request)
    else:
        given |= _members(shape, _body(request))
    problems = list(violations(shape, given))
    if problems:
        count = f"{len(problems)} validation error{'s' if len(problems) > 1 else ''}"
        raise not_valid(f"{count} detected: {'; '.join(problems)}")
    return given


def _members(shape: StructureShape, body: bytes) -> dict[str, object]:
    try:
        document: Json = json.loads(body or b"{}")
    except ValueError:
        message = "Could not parse request body into json"
        raise LambdaError("InvalidRequestContentException", 400, message) from None
    return structure_reader(shape)(document)


def _typed(shape: Shape, text: str) -> object:
    match shape.type_name:
        case "integer" | "long" if text.lstrip("-").isdecimal():
            return int(text)
        case "boolean":
            return text == "true"
        case _:
            return text


def _body(request: AWSPreparedRequest) -> bytes:
    body: object = request.body
    if isinstance(body, bytes | bytearray):
        return bytes(body)
    if isinstance(body, str):
        return body.encode()
    read = getattr(body, "read", None)
    content: object = read() if callable(read) else b""
    return content if isinstance(content, bytes) else str(content).encode()


# Replies --------------------------------------------------------------------------------------------------------------


def _answer(model: OperationModel, result: Mapping[str, object]) -> Reply:
    shape, status = model.output_shape, int(model.http.get("responseCode", 200))
    if shape is None:
        return Reply(status, dict(_HEADERS), b"")
    headers, body, payload = dict(_HEADERS), dict[str, object](), shape.serialization.get("payload")
    content: bytes | None = None
    for name, value in result.items():
        member = shape.members[name]
        place = member.serialization.get("location")
        if place == "statusCode":
            status = int(str(value))
        elif place == "header":
            headers[str(member.serialization["name"])] = str(value)
        elif name == payload:
            content = value if isinstance(value, bytes) else b""
        else:
            body[name] = value
    return Reply(status, headers, json.dumps(body).encode() if content is None else content)


def _refusal(error: LambdaError) -> Reply:
    """Write an error: its name in a header, whose fault it is and what is wrong in the body."""
    key = "Message" if error.code in _CAPITAL else "message"
    body = {"Type": "User", **error.fields, key: error.message}
    return Reply(error.status, {**_HEADERS, "x-amzn-errortype": error.code, **error.headers}, json.dumps(body).encode())


_CAPITAL = ("ResourceInUseException", "ResourceNotFoundException", "ServiceException")
"""The errors whose message has a capital letter in AWS's model."""

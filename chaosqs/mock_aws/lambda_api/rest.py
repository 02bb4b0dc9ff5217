"""The REST protocol of Lambda: methods, paths, headers and JSON in, status, headers and JSON out."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Protocol, TypeGuard
from urllib.parse import parse_qsl, unquote, urlsplit

import attrs
from botocore.awsrequest import AWSPreparedRequest
from botocore.loaders import create_loader
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

from chaosqs.mock_aws.lambda_api.errors import LambdaError, not_served, not_valid
from chaosqs.sqs.api.parameters import ApiError
from chaosqs.wire.http import Reply
from chaosqs.wire.transport import Json, header, region_of, structure_reader

# Operations by route, shapes and ranges, from botocore's own model of Lambda ------------------------------------------

_MEMBER = re.compile(r"\{(\w+)(\+?)\}")


@cache
def lambda_model() -> ServiceModel:
    """Load botocore's model of Lambda, once a process."""
    return ServiceModel(create_loader().load_service_model("lambda", "service-2"), "lambda")


@attrs.frozen
class Route:
    """The method and path of an operation."""

    method: str
    path: re.Pattern[str]
    model: OperationModel
    literal: int
    """Characters of the path outside its parameters: the more, the better a match."""


@cache
def routes() -> tuple[Route, ...]:
    """Return all routes, those with the most literal characters first."""
    return tuple(sorted(map(_route, lambda_model().operation_names), key=lambda route: -route.literal))


def _route(name: str) -> Route:
    model = lambda_model().operation_model(name)
    uri: str = model.http["requestUri"].partition("?")[0].rstrip("/")
    pattern, end = "", 0
    for member in _MEMBER.finditer(uri):
        pattern += re.escape(uri[end : member.start()]) + f"(?P<{member[1]}>{'.+' if member[2] else '[^/]+'})"
        end = member.end()
    literal = len(_MEMBER.sub("", uri))
    return Route(str(model.http["method"]), re.compile(pattern + re.escape(uri[end:])), model, literal)


def match(method: str, path: str) -> tuple[OperationModel, dict[str, str]] | None:
    """Return the operation that a request asks for and the parameters in its path; None for no such operation."""
    for route in routes():
        found = route.path.fullmatch(path.rstrip("/")) if route.method == method else None
        if found is not None:
            return route.model, {name: unquote(value) for name, value in found.groupdict().items()}
    return None


def violations(shape: Shape, value: object, path: str = "") -> Iterator[str]:
    """Yield a message for each value that violates the model, in the words of Lambda's validator."""
    if isinstance(shape, StructureShape):
        if _is_map(value):
            yield from _broken_members(shape, value, path)
    elif isinstance(shape, ListShape):
        if _is_list(value):
            problem = _broken_length(shape, len(value))
            if problem:
                shown = f"[{', '.join(map(str, value))}]"
                yield f"Value '{shown}' at '{path}' failed to satisfy constraint: Member must {problem}"
            for index, item in enumerate(value, start=1):
                yield from violations(shape.member, item, f"{path}.{index}.member")
    else:
        must = _broken(shape, value)
        if must:
            yield f"Value '{value}' at '{path}' failed to satisfy constraint: Member must {must}"


def _broken_members(shape: StructureShape, value: Mapping[str, object], path: str) -> Iterator[str]:
    for name, member in shape.members.items():
        within = f"{path}.{_lower(name)}" if path else _lower(name)
        if name in value:
            yield from violations(member, value[name], within)
        elif name in shape.required_members:
            yield f"Value null at '{within}' failed to satisfy constraint: Member must not be null"


def _broken(shape: Shape, value: object) -> str:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if isinstance(value, int) and not isinstance(value, bool):
        if low is not None and value < low:
            return f"have value greater than or equal to {low}"
        if high is not None and value > high:
            return f"have value less than or equal to {high}"
    if isinstance(value, str):
        return _broken_text(shape, value)
    return ""


def _broken_length(shape: Shape, length: int) -> str:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if high is not None and length > high:
        return f"have length less than or equal to {high}"
    if low is not None and length < low:
        return f"have length greater than or equal to {low}"
    return ""


def _broken_text(shape: Shape, value: str) -> str:
    enum, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    if enum and value not in enum:
        return f"satisfy enum value set: [{', '.join(enum)}]"
    length = _broken_length(shape, len(value))
    if length:
        return length
    if pattern and not re.fullmatch(readable(pattern), value):
        return f"satisfy regular expression pattern: {pattern}"
    return ""


_CLASSES = {r"\p{L}": r"\w", r"\p{N}": r"\w", r"\p{Z}": r"\s"}
"""Letters, digits and blanks, as the model's patterns and as Python's write them."""


def readable(pattern: str) -> str:
    """Return a pattern of the model in Python's syntax."""
    for theirs, ours in _CLASSES.items():
        pattern = pattern.replace(theirs, ours)
    return pattern


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _is_map(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)


# The protocol ---------------------------------------------------------------------------------------------------------

_HEADERS = {"Content-Type": "application/json"}


class Functions(Protocol):
    """Answers calls of Lambda's operations in virtual time, on behalf of their callers."""

    def call_lambda(self, operation: str, parameters: Mapping[str, object], *, region: str) -> Mapping[str, object]:
        """Carry out an operation; a synchronous invocation returns when it has ended. Raises `LambdaError`."""
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
    except ApiError as error:  # from SQS's readers of parameters
        return _refusal(LambdaError("SerializationException", 400, error.message))
    return _success(model, result)


# Requests -------------------------------------------------------------------------------------------------------------


def _parameters(model: OperationModel, named: Mapping[str, str], request: AWSPreparedRequest) -> dict[str, object]:
    """Return a request's parameters as botocore's model names them; raise `LambdaError` for invalid values."""
    shape = model.input_shape
    if shape is None:
        return {}
    given: dict[str, object] = {name: _typed(shape.members[name], value) for name, value in named.items()}
    pairs = parse_qsl(urlsplit(str(request.url)).query, keep_blank_values=True)
    query = dict(pairs)
    for name, member in shape.members.items():
        location, key = member.serialization.get("location"), str(member.serialization.get("name", name))
        value = query.get(key) if location == "querystring" else header(request, key) if location == "header" else ""
        if value and isinstance(member, ListShape):
            given[name] = [item for named_key, item in pairs if named_key == key]
        elif value:
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


def _success(model: OperationModel, result: Mapping[str, object]) -> Reply:
    shape, status = model.output_shape, int(model.http.get("responseCode", 200))
    if shape is None:
        return Reply(status, dict(_HEADERS), b"")
    headers, body, payload = dict(_HEADERS), dict[str, object](), shape.serialization.get("payload")
    content: bytes | None = None
    for name, value in result.items():
        member = shape.members[name]
        location = member.serialization.get("location")
        if location == "statusCode":
            status = int(str(value))
        elif location == "header":
            headers[str(member.serialization["name"])] = str(value)
        elif name == payload:
            content = value if isinstance(value, bytes) else b""
        else:
            body[name] = value
    return Reply(status, headers, json.dumps(body).encode() if content is None else content)


def _refusal(error: LambdaError) -> Reply:
    """Return the reply for an error: its name in a header, the party at fault and the message in the body."""
    key = "Message" if error.code in _CAPITAL_MESSAGE else "message"
    body = {"Type": "User", **error.fields, key: error.message}
    return Reply(error.status, {**_HEADERS, "x-amzn-errortype": error.code, **error.headers}, json.dumps(body).encode())


_CAPITAL_MESSAGE = ("ResourceInUseException", "ResourceNotFoundException", "ServiceException")
"""Errors whose message is in the field `Message`, with a capital letter, by AWS's model."""

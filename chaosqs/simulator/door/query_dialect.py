"""The query protocol of SQS, which clients older than November 2023 speak: a form goes in, XML comes out."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TypeGuard

from botocore.awsrequest import AWSPreparedRequest
from botocore.model import ListShape, MapShape, Shape, StructureShape

from chaosqs.simulator.door.query_names import element_name, pair_names
from chaosqs.simulator.door.query_reader import fields, read_structure, tree
from chaosqs.simulator.door.shapes import input_shape, output_shape
from chaosqs.simulator.door.wire import Reply
from chaosqs.simulator.operations.errors import ApiError

_NAMESPACE = "http://queue.amazonaws.com/doc/2012-11-05/"
_HEADERS = {"Content-Type": "text/xml"}


class QueryDialect:
    """Reads what older clients send and writes what they parse."""

    def operation(self, request: AWSPreparedRequest) -> str:
        """Return the Action."""
        return fields(request).get("Action", "")

    def parameters(self, operation: str, request: AWSPreparedRequest) -> dict[str, object]:
        """Read the fields by botocore's model."""
        return read_structure(input_shape(operation), tree(fields(request).items()))

    def answer(self, operation: str, result: Mapping[str, object], request_id: str) -> Reply:
        """Write a result as XML."""
        shape = output_shape(operation)
        written = "" if shape is None else _element(f"{operation}Result", "".join(_structure(shape, result)))
        metadata = _element("ResponseMetadata", _element("RequestId", request_id))
        return _reply(200, f"{operation}Response", written + metadata)

    def refuse(self, error: ApiError, request_id: str) -> Reply:
        """Write an error as XML."""
        fault = "Sender" if error.sender_fault else "Receiver"
        parts = {"Type": fault, "Code": error.code, "Message": _text(error.message), "Detail": ""}
        written = "".join(_element(name, text) for name, text in parts.items())
        return _reply(error.status, "ErrorResponse", _element("Error", written) + _element("RequestId", request_id))


def _reply(status: int, root: str, content: str) -> Reply:
    document = f'<?xml version="1.0"?><{root} xmlns="{_NAMESPACE}">{content}</{root}>'
    return Reply(status, _HEADERS, document.encode())


def _element(name: str, content: str) -> str:
    return f"<{name}>{content}</{name}>"


def _structure(shape: StructureShape, value: object) -> Iterator[str]:
    assert _is_mapping(value), (shape, value)
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _member(element_name(name, member), member, value[name])


def _member(name: str, shape: Shape, value: object) -> Iterator[str]:
    """Yield one element, or one for each item of a list or map: both are flattened."""
    match shape:
        case ListShape():
            assert _is_list(value), (shape, value)
            for item in value:
                yield from _member(name, shape.member, item)
        case MapShape():
            assert _is_mapping(value), (shape, value)
            for key, item in value.items():
                yield _element(name, "".join(_pair(shape, key, item)))
        case StructureShape():
            yield _element(name, "".join(_structure(shape, value)))
        case _:
            yield _element(name, _text(value))


def _pair(shape: MapShape, key: str, value: object) -> Iterator[str]:
    key_name, value_name = pair_names(shape)
    yield _element(key_name, _text(key))
    yield from _member(value_name, shape.value, value)


def _text(value: object) -> str:
    """Escape a scalar; a bare carriage return would be read as a line feed."""
    match value:
        case bytes():
            return b64encode(value).decode()
        case bool():
            return "true" if value else "false"
        case _:
            return escape(str(value)).replace("\r", "&#13;")


def _is_list(value: object) -> TypeGuard[Sequence[object]]:
    return isinstance(value, list | tuple)


def _is_mapping(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping)

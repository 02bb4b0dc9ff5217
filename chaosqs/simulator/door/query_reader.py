"""Reads the parameters of the query protocol, `Attribute.1.Name=…`, by botocore's shapes."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable, Iterator
from typing import TypeAlias
from urllib.parse import parse_qsl, urlsplit

from botocore.awsrequest import AWSPreparedRequest
from botocore.model import ListShape, MapShape, Shape, StructureShape

from chaosqs.simulator.door.query_names import element_name, pair_names
from chaosqs.simulator.door.wire import body_text
from chaosqs.simulator.operations.errors import ApiError

Tree: TypeAlias = "dict[str, str | Tree]"
"""Parameters by the parts of their names: `Attribute.1.Name` is the Name of the 1 of the Attribute."""


def fields(request: AWSPreparedRequest) -> dict[str, str]:
    """Return the fields of a form, or of the address of a GET; the address itself may name the queue."""
    address = urlsplit(request.url)
    given = dict(parse_qsl(address.query, keep_blank_values=True))
    given.update(parse_qsl(body_text(request), keep_blank_values=True))
    if address.path.strip("/"):
        given.setdefault("QueueUrl", f"{address.scheme}://{address.netloc}{address.path}")
    return given


def tree(given: Iterable[tuple[str, str]]) -> Tree:
    """Sort fields into a tree; raises `ApiError` where one name is both a value and a group."""
    root: Tree = {}
    for name, value in given:
        *groups, last = name.split(".")
        node = root
        for group in groups:
            inner = node.setdefault(group, {})
            if isinstance(inner, str):
                raise _malformed(name)
            node = inner
        node[last] = value
    return root


def read_structure(shape: StructureShape, node: str | Tree) -> dict[str, object]:
    """Return the members of a structure that are given; a required list that is not given is an empty one."""
    if isinstance(node, str):
        raise _malformed(shape.name)
    found: dict[str, object] = {}
    for name, member in shape.members.items():
        given = node.get(element_name(name, member))
        if given is not None:
            found[name] = _read(member, given)
        elif isinstance(member, ListShape) and name in shape.required_members:
            found[name] = []
    return found


def _read(shape: Shape, node: str | Tree) -> object:
    match shape:
        case StructureShape():
            return read_structure(shape, node)
        case ListShape():
            return [_read(shape.member, item) for item in _items(node)]
        case MapShape():
            return dict(_pair(shape, item) for item in _items(node))
        case _:
            return _scalar(shape, node)


def _items(node: str | Tree) -> Iterator[str | Tree]:
    """Yield what is numbered 1, 2, 3 …, or the only one without a number; an empty value is an empty list."""
    if isinstance(node, dict):
        yield from (node[number] for number in sorted(node, key=_number))
    elif node:
        yield node


def _number(name: str) -> int:
    if name.isascii() and name.isdecimal():
        return int(name)
    raise _malformed(name)


def _pair(shape: MapShape, node: str | Tree) -> tuple[str, object]:
    key_name, value_name = pair_names(shape)
    if isinstance(node, str):
        raise _malformed(shape.name)
    key, value = node.get(key_name), node.get(value_name)
    if not isinstance(key, str) or value is None:
        raise _malformed(shape.name)
    return key, _read(shape.value, value)


def _scalar(shape: Shape, node: str | Tree) -> object:
    if not isinstance(node, str):
        raise _malformed(shape.name)
    try:
        match shape.type_name:
            case "integer" | "long":
                return int(node)
            case "blob":
                return b64decode(node, validate=True)
            case _:
                return node
    except ValueError:
        raise _malformed(node) from None


def _malformed(what: str) -> ApiError:
    message = f"The request is malformed near {what}"
    return ApiError("MalformedInput", "MalformedInput", 400, message, sender_fault=True)

"""What the door takes from botocore's own model of Lambda: operations by route, shapes, ranges."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import TypeGuard
from urllib.parse import unquote

import attrs
from botocore.loaders import create_loader
from botocore.model import ListShape, OperationModel, ServiceModel, Shape, StructureShape

_MEMBER = re.compile(r"\{(\w+)(\+?)\}")


@cache
def lambda_model() -> ServiceModel:
    """Load botocore's model of Lambda, once a process."""
    return ServiceModel(create_loader().load_service_model("lambda", "service-2"), "lambda")


@attrs.frozen
class Route:
    """How an operation is asked for."""

    method: str
    path: re.Pattern[str]
    model: OperationModel
    literal: int
    """How much of the path is given: the more, the better a match."""


@cache
def routes() -> tuple[Route, ...]:
    """Return all routes, those with the longest given path first."""
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
    """Return the operation that a request asks for, with what its path says; None: there is no such operation."""
    for route in routes():
        found = route.path.fullmatch(path.rstrip("/")) if route.method == method else None
        if found is not None:
            return route.model, {name: unquote(value) for name, value in found.groupdict().items()}
    return None


def violations(shape: Shape, value: object, path: str = "") -> Iterator[str]:
    """Yield what Lambda says about values out of the ranges of its model, as its validator puts it."""
    if isinstance(shape, StructureShape):
        if _is_map(value):
            for name, member in shape.members.items():
                if name in value:
                    yield from violations(member, value[name], f"{path}.{_lower(name)}" if path else _lower(name))
    elif isinstance(shape, ListShape):
        if _is_list(value):
            for place, item in enumerate(value, start=1):
                yield from violations(shape.member, item, f"{path}.{place}.member")
    else:
        must = _broken(shape, value)
        if must:
            yield f"Value '{value}' at '{path}' failed to satisfy constraint: Member must {must}"


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


def _broken_text(shape: Shape, value: str) -> str:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    enum, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    if enum and value not in enum:
        return f"satisfy enum value set: [{', '.join(enum)}]"
    if high is not None and len(value) > high:
        return f"have length less than or equal to {high}"
    if low is not None and len(value) < low:
        return f"have length greater than or equal to {low}"
    if pattern and not re.fullmatch(pattern, value):
        return f"satisfy regular expression pattern: {pattern}"
    return ""


def _lower(name: str) -> str:
    return name[:1].lower() + name[1:]


def _is_map(value: object) -> TypeGuard[dict[str, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)

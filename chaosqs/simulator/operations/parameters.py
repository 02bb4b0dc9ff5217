"""Parameters in botocore's shapes, read with their types; what has another type is refused as AWS's parser does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, TypeGuard

from chaosqs.simulator.operations.errors import ApiError, error, missing

Parameters: TypeAlias = Mapping[str, object]
"""What a request, or an entry of a batch, contains. None counts as absent."""


def is_map(value: object) -> TypeGuard[Mapping[object, object]]:
    """Tell whether a value is a map or structure."""
    return isinstance(value, Mapping)


def is_list(value: object) -> TypeGuard[Sequence[object]]:
    """Tell whether a value is a list."""
    return isinstance(value, list | tuple)


def text(parameters: Parameters, name: str) -> str | None:
    """Return a string, or None where it is absent."""
    value = parameters.get(name)
    if value is None or isinstance(value, str):
        return value
    raise _wrong_type(value)


def required_text(parameters: Parameters, name: str) -> str:
    """Return a string that has to be there, and not to be empty."""
    value = text(parameters, name)
    if not value:
        raise missing(name)
    return value


def integer(parameters: Parameters, name: str) -> int | None:
    """Return a whole number, or None where it is absent."""
    value = parameters.get(name)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _wrong_type(value)


def texts(parameters: Parameters, *names: str) -> list[str]:
    """Return the strings of one or several lists."""
    found: list[str] = []
    for name in names:
        for value in sequence(parameters, name):
            if not isinstance(value, str):
                raise _wrong_type(value)
            found.append(value)
    return found


def sequence(parameters: Parameters, name: str) -> Sequence[object]:
    """Return a list; empty where it is absent."""
    value = parameters.get(name)
    if value is None:
        return ()
    if is_list(value):
        return value
    raise _wrong_type(value)


def structure(value: object) -> Parameters:
    """Return a map or structure; empty where it is absent."""
    if value is None:
        return {}
    if is_map(value):
        return {str(key): item for key, item in value.items()}
    raise _wrong_type(value)


def text_map(parameters: Parameters, name: str) -> dict[str, str]:
    """Return a map of strings; empty where it is absent. Null values count as absent."""
    found: dict[str, str] = {}
    for key, value in structure(parameters.get(name)).items():
        if isinstance(value, str):
            found[key] = value
        elif value is not None:
            raise _wrong_type(value)
    return found


def _wrong_type(value: object) -> ApiError:
    match value:
        case Mapping():
            message = "Start of structure or map found where not expected."
        case list() | tuple():
            message = "Start of list found where not expected"
        case str():
            message = "STRING_VALUE can not be converted to an Integer"
        case bool():
            message = f"{str(value).upper()}_VALUE can not be converted to a String"
        case _:
            message = "NUMBER_VALUE can not be converted to a String"
    return error("SerializationException", message)

"""The shapes of SQS's operations, from the model that the installed botocore ships."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable
from functools import cache
from typing import TypeAlias

from botocore.loaders import create_loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from chaosqs.sqs.api.parameters import ApiError, error


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

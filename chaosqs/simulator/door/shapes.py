"""What the door takes from botocore: its own model of SQS, as the installed version ships it."""

from __future__ import annotations

from functools import cache

from botocore.loaders import create_loader
from botocore.model import OperationModel, ServiceModel, StructureShape


@cache
def service_model() -> ServiceModel:
    """Load botocore's model of SQS, once a process."""
    return ServiceModel(create_loader().load_service_model("sqs", "service-2"), "sqs")


@cache
def is_operation(name: str) -> bool:
    """Tell whether SQS has an operation of that name."""
    return name in service_model().operation_names


@cache
def input_shape(operation: str) -> StructureShape:
    """Return the shape of an operation's parameters."""
    shape = _model(operation).input_shape
    assert shape is not None, operation
    return shape


@cache
def output_shape(operation: str) -> StructureShape | None:
    """Return the shape of an operation's result, or None where it answers with nothing."""
    return _model(operation).output_shape


@cache
def modelled_errors() -> frozenset[str]:
    """Return the names of the errors that have a shape, and so an exception class of their own."""
    return frozenset(shape.name for shape in service_model().error_shapes)


def _model(operation: str) -> OperationModel:
    return service_model().operation_model(operation)

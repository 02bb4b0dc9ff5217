"""What the operations take, return and raise is what botocore's model of SQS has: nothing is invented."""

from __future__ import annotations

import ast
import gzip
import inspect
import json
from importlib.resources import files
from typing import TypeAlias

import pytest

from chaosqs.sqs import api
from chaosqs.sqs.api import queue_attributes, receiving
from chaosqs.sqs.api.parameters import SHAPES, ApiError, error, is_list, is_map
from chaosqs.sqs.api.sqs import OPERATIONS, Sqs
from tests.sqs.api.probe import queue, with_dead_letters

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"

OUTSIDE = {
    "InvalidParameterValueException",
    "MissingRequiredParameterException",
    "SerializationException",
    "UnknownOperationException",
}
"""What AWS answers (recorded) although its model of SQS does not list it."""


def _model() -> dict[str, Json]:
    packed = files("botocore").joinpath("data/sqs/2012-11-05/service-2.json.gz").read_bytes()
    model: dict[str, Json] = json.loads(gzip.decompress(packed))
    return model


EMPTY = {"Successful", "Failed"}
"""AWS leaves lists out that are empty, though its model calls these two required (recordings of 2024)."""
MODEL = _model()


def at(*path: str) -> dict[str, Json]:
    value: Json = MODEL
    for name in path:
        assert isinstance(value, dict)
        value = value.get(name, {})
    assert isinstance(value, dict)
    return value


def conforms(value: object, shape: str) -> bool:
    """Tell whether a result has the members and types of a shape."""
    kind = at("shapes", shape)["type"]
    if kind == "structure":
        return is_map(value) and _members_conform({str(name): item for name, item in value.items()}, shape)
    if kind == "list":
        return is_list(value) and all(conforms(item, _inner(shape, "member")) for item in value)
    if kind == "map":
        return is_map(value) and all(conforms(item, _inner(shape, "value")) for item in value.values())
    return type(value) is TYPES[str(kind)]


TYPES = {"string": str, "blob": bytes, "integer": int, "long": int, "boolean": bool}


def _members_conform(value: dict[str, object], shape: str) -> bool:
    members, required = at("shapes", shape, "members"), at("shapes", shape).get("required") or []
    assert isinstance(required, list)
    if not {str(name) for name in required} - EMPTY <= set(value) <= set(members):
        return False
    return all(conforms(item, _inner(shape, "members", name)) for name, item in value.items())


def _inner(shape: str, *path: str) -> str:
    return str(at("shapes", shape, *path)["shape"])


def test_every_operation_is_there_and_no_other() -> None:
    """23 of them."""
    assert set(OPERATIONS) == set(at("operations"))


def test_every_error_is_one_of_the_models() -> None:
    """Or one that AWS was recorded to answer besides."""
    modelled = {name for name, shape in at("shapes").items() if isinstance(shape, dict) and shape.get("exception")}
    assert set(SHAPES) == modelled | OUTSIDE


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_errors_carry_code_shape_and_status(shape: str) -> None:
    """Each of 3.1 can be made, for those who inject it."""
    made = error(shape, "why")
    assert (made.shape, made.message, made.sender_fault) == (shape, "why", True)
    assert 400 <= made.status <= 404
    assert str(made) == f"{made.code}: why"


def test_attribute_names_are_the_models() -> None:
    """Of queues and of messages (RX-11)."""
    assert {*queue_attributes.NAMES, "All"} == set(_enum("QueueAttributeName"))
    assert {*receiving.SYSTEM_ATTRIBUTES, "All"} == set(_enum("MessageSystemAttributeName"))


def _enum(shape: str) -> list[str]:
    found = at("shapes", shape)["enum"]
    assert isinstance(found, list)
    return [str(name) for name in found]


def test_parameters_that_are_read_exist() -> None:
    """Each name that an operation reads is a member of some input of the model."""
    known = {name for shape in at("shapes") for name in at("shapes", shape, "members")}
    readers = {"text", "required_text", "integer", "texts", "sequence", "text_map"}
    for module in ("sending", "receiving", "queues", "move_tasks"):
        tree = ast.parse(inspect.getsource(getattr(api, module)))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in readers:
                names = [arg.value for arg in call.args[1:] if isinstance(arg, ast.Constant)]
                assert {str(name) for name in names} <= known | {"Id", "Statement", "sourceQueueArns"}, module


def test_results_have_the_models_shapes() -> None:
    """Every operation once, its result checked against the output shape."""
    sqs = Sqs()
    orders, dead = with_dead_letters(sqs, 1, VisibilityTimeout=0)
    fifo = queue(sqs, "q.fifo", ContentBasedDeduplication="true")
    every = {"MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"]}
    attributes = {
        "a": {"DataType": "String", "StringValue": "v"},
        "b": {"DataType": "Binary", "BinaryValue": b"\x00"},
    }
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}}
    sent = {"MessageBody": "x", "MessageAttributes": attributes, "MessageSystemAttributes": trace}
    entry = {"Id": "1", "MessageGroupId": "g", **sent}
    calls: list[tuple[str, dict[str, object]]] = [
        ("CreateQueue", {"QueueName": "new", "tags": {"a": "b"}}),
        ("SendMessage", {"QueueUrl": orders.url, **sent}),
        ("SendMessage", {"QueueUrl": fifo.url, "MessageGroupId": "g", **sent}),
        (
            "SendMessageBatch",
            {"QueueUrl": fifo.url, "Entries": [entry, {"Id": "2", "MessageBody": "", "MessageGroupId": "g"}]},
        ),
        ("ReceiveMessage", {"QueueUrl": orders.url, **every}),
        ("ReceiveMessage", {"QueueUrl": orders.url, **every}),
        ("ReceiveMessage", {"QueueUrl": fifo.url, **every}),
        ("DeleteMessageBatch", {"QueueUrl": orders.url, "Entries": [{"Id": "1", "ReceiptHandle": "x"}]}),
        (
            "ChangeMessageVisibilityBatch",
            {"QueueUrl": orders.url, "Entries": [{"Id": "1", "ReceiptHandle": "x", "VisibilityTimeout": 1}]},
        ),
        ("GetQueueUrl", {"QueueName": "new"}),
        ("GetQueueAttributes", {"QueueUrl": fifo.url, "AttributeNames": ["All"]}),
        ("SetQueueAttributes", {"QueueUrl": fifo.url, "Attributes": {"DelaySeconds": "1"}}),
        ("ListQueues", {"MaxResults": 1}),
        ("ListDeadLetterSourceQueues", {"QueueUrl": dead.url}),
        ("TagQueue", {"QueueUrl": orders.url, "Tags": {"a": "b"}}),
        ("ListQueueTags", {"QueueUrl": orders.url}),
        ("UntagQueue", {"QueueUrl": orders.url, "TagKeys": ["a"]}),
        ("AddPermission", {"QueueUrl": orders.url, "Label": "l", "AWSAccountIds": ["1"], "Actions": ["*"]}),
        ("RemovePermission", {"QueueUrl": orders.url, "Label": "l"}),
        (
            "StartMessageMoveTask",
            {"SourceArn": dead.arn, "DestinationArn": orders.arn, "MaxNumberOfMessagesPerSecond": 1},
        ),
        ("ListMessageMoveTasks", {"SourceArn": dead.arn}),
        ("PurgeQueue", {"QueueUrl": orders.url}),
        ("DeleteQueue", {"QueueUrl": orders.url}),
    ]
    for operation, parameters in calls:
        result = sqs.call(operation, parameters)
        output = at("operations", operation, "output").get("shape")
        assert result == {} if output is None else conforms(result, str(output)), (operation, result)
    done = {operation for operation, _ in calls} | {"DeleteMessage", "ChangeMessageVisibility", "CancelMessageMoveTask"}
    assert done == set(OPERATIONS)


@pytest.mark.parametrize(
    ("operation", "parameters"),
    [
        ("SendMessage", {"MessageBody": {}}),
        ("SendMessage", {"MessageBody": ["x"]}),
        ("SendMessage", {"MessageBody": 1}),
        ("SendMessage", {"MessageBody": True}),
        ("SendMessage", {"MessageBody": "x", "DelaySeconds": "1"}),
        ("SendMessage", {"MessageBody": "x", "DelaySeconds": True}),
        ("SendMessage", {"MessageBody": "x", "MessageAttributes": "x"}),
        ("SendMessage", {"MessageBody": "x", "MessageAttributes": {"a": "x"}}),
        ("SendMessageBatch", {"Entries": {}}),
        ("SendMessageBatch", {"Entries": ["x"]}),
        ("ReceiveMessage", {"AttributeNames": [1]}),
        ("SetQueueAttributes", {"Attributes": {"DelaySeconds": 1}}),
    ],
)
def test_wrong_types_are_refused(operation: str, parameters: dict[str, object]) -> None:
    """As AWS's parser does, with SerializationException; nothing changes."""
    assert queue(Sqs()).refused(operation, **parameters).code == "SerializationException"


def test_unknown_operations_are_refused() -> None:
    """And so is a request without a queue."""
    for operation, parameters, shape in (
        ("Fly", {}, "UnknownOperationException"),
        ("SendMessage", {}, "MissingRequiredParameterException"),
        ("SendMessage", {"QueueUrl": "nope"}, "QueueDoesNotExist"),
        ("GetQueueUrl", {}, "InvalidParameterValueException"),
        ("CreateQueue", {}, "InvalidParameterValueException"),
    ):
        with pytest.raises(ApiError) as caught:
            Sqs().call(operation, parameters)
        assert caught.value.shape == shape


@pytest.mark.parametrize(
    ("operation", "parameters", "message"),
    [
        ("DeleteMessage", {"ReceiptHandle": ""}, "The request must contain the parameter ReceiptHandle."),
        (
            "ChangeMessageVisibility",
            {"ReceiptHandle": "x"},
            "The request must contain the parameter VisibilityTimeout.",
        ),
        (
            "SendMessageBatch",
            {"Entries": [{"MessageBody": "x"}]},
            "The request must contain the parameter SendMessageBatchRequestEntry.1.Id.",
        ),
    ],
)
def test_missing_parameters_are_named(operation: str, parameters: dict[str, object], message: str) -> None:
    """MissingParameter."""
    assert queue(Sqs()).refused(operation, **parameters).message == message

"""Requests as they come over the wire, also such as no SDK sends."""

from __future__ import annotations

import json

import pytest
from botocore.awsrequest import AWSRequest

from chaosqs.errors import SimulationError
from chaosqs.mock_aws.aws import MockAws
from chaosqs.wire.botocore_hook import current
from chaosqs.wire.transport import parameters_reader, service_model

ADDRESS = "https://sqs.us-east-1.amazonaws.com/"
FORM = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


def sent(request: AWSRequest) -> tuple[int, str, str]:
    """Send a request through the door; return status, body and the header with the error's older code."""
    transport = current()
    assert transport is not None
    response = transport.send("sqs", request.prepare())
    return response.status_code, response.text, response.headers.get("x-amzn-query-error", "")


def post_json(operation: str, body: str | bytes) -> tuple[int, str, str]:
    headers = {"X-Amz-Target": f"AmazonSQS.{operation}", "Content-Type": "application/x-amz-json-1.0"}
    return sent(AWSRequest("POST", ADDRESS, headers, body))


def created() -> str:
    return str(json.loads(post_json("CreateQueue", '{"QueueName": "orders"}')[1])["QueueUrl"])


pytestmark = pytest.mark.usefixtures("world")


@pytest.mark.parametrize(
    "body", ['{"QueueName": "orders", "Attributes": null, "Unknown": 1}', b'{"QueueName": "orders"}']
)
def test_null_and_unknown_members_are_ignored(body: str | bytes) -> None:
    assert post_json("CreateQueue", body) == (200, json.dumps({"QueueUrl": ADDRESS + "123456789012/orders"}), "")


def test_an_operation_without_parameters() -> None:
    assert post_json("ListQueues", "")[0] == 200
    assert post_json("ListQueues", "{}")[0] == 200


def test_an_operation_without_a_result_answers_with_nothing() -> None:
    assert post_json("DeleteQueue", json.dumps({"QueueUrl": created()})) == (200, "", "")


@pytest.mark.parametrize(
    "body", ["{", "[]", '"text"', '{"QueueName": 7}', '{"QueueName": "q", "Attributes": []}', "nul"]
)
def test_json_that_cannot_be_read(body: str) -> None:
    status, text, code = post_json("CreateQueue", body)
    assert (status, code) == (400, "SerializationException;Sender")
    assert json.loads(text)["__type"] == "com.amazon.coral.service#SerializationException"


@pytest.mark.parametrize(
    "parameter", [{"MaxNumberOfMessages": "1"}, {"MaxNumberOfMessages": True}, {"AttributeNames": "All"}]
)
def test_json_with_a_value_of_another_type(parameter: dict[str, object]) -> None:
    assert post_json("ReceiveMessage", json.dumps({"QueueUrl": created()} | parameter))[0] == 400


@pytest.mark.parametrize("operation", service_model().operation_names)
def test_the_parameters_of_every_operation_can_be_read(operation: str) -> None:
    assert parameters_reader(operation)({}) == {}


def test_a_binary_value_that_is_none() -> None:
    value = {"DataType": "Binary", "BinaryValue": "*"}
    body = {"QueueUrl": created(), "MessageBody": "x", "MessageAttributes": {"a": value}}
    assert post_json("SendMessage", json.dumps(body))[2] == "SerializationException;Sender"


def test_an_error_carries_its_shape_and_its_older_code() -> None:
    body = {"QueueUrl": ADDRESS + "123456789012/nowhere", "MessageBody": "x"}
    status, text, code = post_json("SendMessage", json.dumps(body))
    assert (status, code) == (400, "AWS.SimpleQueueService.NonExistentQueue;Sender")
    assert json.loads(text)["__type"] == "com.amazonaws.sqs#QueueDoesNotExist"


def test_operations_that_sqs_does_not_have() -> None:
    status, text, _ = post_json("SendLetter", "{}")
    assert (status, json.loads(text)["__type"]) == (400, "com.amazon.coral.service#UnknownOperationException")


@pytest.mark.parametrize(
    "asked",
    [
        AWSRequest("POST", ADDRESS, FORM, "Action=CreateQueue&QueueName=orders"),
        AWSRequest("GET", ADDRESS + "123456789012/orders?Action=ReceiveMessage"),
    ],
)
def test_a_request_in_the_query_protocol_is_told_what_client_it_takes(asked: AWSRequest) -> None:
    """No client that chaosqs supports speaks it: the error names the protocol and the first releases with JSON."""
    with pytest.raises(SimulationError, match=r"JSON protocol only.*boto3 1\.35.*botocore 1\.31\.81"):
        sent(asked)


def test_the_answer_has_the_headers_of_aws(world: MockAws) -> None:
    response = world.client().list_queues()["ResponseMetadata"]
    headers = response["HTTPHeaders"]
    assert headers["content-type"] == "application/x-amz-json-1.0"
    assert headers["date"] == "Mon, 01 Dec 2025 00:00:00 GMT"
    assert headers["x-amzn-requestid"] == response["RequestId"]
    assert headers["content-length"] == "2"
    assert len(response["RequestId"]) == 36

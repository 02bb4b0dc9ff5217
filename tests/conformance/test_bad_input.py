"""Input that AWS refuses is refused with AWS's error, and changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.config import Config
from botocore.exceptions import ParamValidationError

from tests.conformance.clients import sqs_client
from tests.conformance.queue_under_test import Got, QueueUnderTest, create, refusal

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

NOWHERE = "https://sqs.us-east-1.amazonaws.com/123456789012/nowhere"


@pytest.fixture
def queue(sqs: SQSClient) -> QueueUnderTest:
    """A queue with one message, which no refusal may change."""
    made = create(sqs, "orders")
    made.send("one")
    return made


def test_an_unknown_queue(sqs: SQSClient) -> None:
    with pytest.raises(sqs.exceptions.QueueDoesNotExist) as caught:
        sqs.send_message(QueueUrl=NOWHERE, MessageBody="x")
    assert refusal(caught) == ("AWS.SimpleQueueService.NonExistentQueue", 400)
    with pytest.raises(sqs.exceptions.QueueDoesNotExist):
        sqs.get_queue_url(QueueName="nowhere")


@pytest.mark.parametrize("most", [0, 11, -1])
def test_the_number_of_messages_has_a_range(queue: QueueUnderTest, most: int) -> None:
    with pytest.raises(queue.client.exceptions.ClientError, match="between 1 and 10") as caught:
        queue.receive(most)
    assert refusal(caught) == ("InvalidParameterValue", 400)
    assert queue.counters() == (1, 0, 0)


@pytest.mark.parametrize(("wait", "visibility"), [(21, None), (-1, None), (None, 43_201), (None, -1)])
def test_waits_and_visibility_have_ranges(queue: QueueUnderTest, wait: int | None, visibility: int | None) -> None:
    with pytest.raises(queue.client.exceptions.ClientError) as caught:
        queue.receive(wait=wait, visibility=visibility)
    assert refusal(caught) == ("InvalidParameterValue", 400)
    assert queue.counters() == (1, 0, 0)


@pytest.mark.parametrize("delay", [901, -1])
def test_a_delay_has_a_range(queue: QueueUnderTest, delay: int) -> None:
    with pytest.raises(queue.client.exceptions.ClientError) as caught:
        queue.send("two", delay=delay)
    assert refusal(caught) == ("InvalidParameterValue", 400)
    assert queue.counters() == (1, 0, 0)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("VisibilityTimeout", "43201"),
        ("VisibilityTimeout", "soon"),
        ("MessageRetentionPeriod", "59"),
        ("DelaySeconds", "901"),
        ("MaximumMessageSize", "1023"),
        ("ReceiveMessageWaitTimeSeconds", "21"),
        ("RedrivePolicy", "{"),
    ],
)
def test_an_attribute_of_a_queue_has_a_range(
    queue: QueueUnderTest, attribute: QueueAttributeNameType, value: str
) -> None:
    before = queue.client.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["All"])["Attributes"]
    with pytest.raises(queue.client.exceptions.ClientError) as caught:
        queue.client.set_queue_attributes(QueueUrl=queue.url, Attributes={attribute: value})
    assert refusal(caught)[0] in {"InvalidAttributeValue", "InvalidParameterValue"}
    assert queue.client.get_queue_attributes(QueueUrl=queue.url, AttributeNames=["All"])["Attributes"] == before


def test_an_unknown_attribute(sqs: SQSClient) -> None:
    with pytest.raises(sqs.exceptions.InvalidAttributeName) as caught:
        sqs.create_queue(QueueName="orders", Attributes={"Colour": "red"})  # type: ignore[dict-item]
    assert refusal(caught) == ("InvalidAttributeName", 400)
    assert sqs.list_queues().get("QueueUrls", []) == []


@pytest.mark.parametrize("name", ["", "a" * 81, "or ders", "orders.fifa", "orders/dlq"])
def test_a_name_that_no_queue_can_have(sqs: SQSClient, name: str) -> None:
    with pytest.raises(sqs.exceptions.ClientError) as caught:
        sqs.create_queue(QueueName=name)
    assert refusal(caught)[1] == 400
    assert sqs.list_queues().get("QueueUrls", []) == []


def test_the_same_name_with_other_attributes(queue: QueueUnderTest) -> None:
    with pytest.raises(queue.client.exceptions.QueueNameExists) as caught:
        create(queue.client, "orders", {"DelaySeconds": "7"})
    assert refusal(caught) == ("QueueAlreadyExists", 400)
    assert create(queue.client, "orders").url == queue.url


@pytest.mark.parametrize("body", ["\x00", "\x0b", "\ufffe", "\uffff"])
def test_illegal_characters(queue: QueueUnderTest, body: str) -> None:
    with pytest.raises(queue.client.exceptions.InvalidMessageContents) as caught:
        queue.send(body)
    assert refusal(caught) == ("InvalidMessageContents", 400)
    assert queue.counters() == (1, 0, 0)


@pytest.mark.parametrize("body", ["\t\n\r ", "ä€😀", "<&>\"'", "\r\n", "a" * 1_048_576])
def test_legal_characters_come_back_as_they_went(sqs: SQSClient, body: str) -> None:
    queue = create(sqs, "orders")
    queue.send(body)
    assert queue.one().body == body


def test_an_empty_body(queue: QueueUnderTest) -> None:
    with pytest.raises(queue.client.exceptions.ClientError, match="MessageBody") as caught:
        queue.send("")
    assert refusal(caught) == ("MissingParameter", 400)
    assert queue.counters() == (1, 0, 0)


def test_a_message_over_the_limit(queue: QueueUnderTest) -> None:
    with pytest.raises(queue.client.exceptions.ClientError, match="shorter than 1048576 bytes") as caught:
        queue.send("a" * 1_048_577)
    assert refusal(caught) == ("InvalidParameterValue", 400)
    assert queue.counters() == (1, 0, 0)


def entries(*named: tuple[str, str]) -> list[SendMessageBatchRequestEntryTypeDef]:
    return [{"Id": name, "MessageBody": body} for name, body in named]


@pytest.mark.parametrize(
    ("given", "error", "code"),
    [
        (entries(), "EmptyBatchRequest", "EmptyBatchRequest"),
        (entries(("1", "x"), ("1", "y")), "BatchEntryIdsNotDistinct", "BatchEntryIdsNotDistinct"),
        (entries(("1", "x"), ("two words", "y")), "InvalidBatchEntryId", "InvalidBatchEntryId"),
        (entries(("a" * 81, "x")), "InvalidBatchEntryId", "InvalidBatchEntryId"),
        (entries(*((str(n), "a" * 600_000) for n in range(2))), "BatchRequestTooLong", "BatchRequestTooLong"),
        (entries(*((str(n), "x") for n in range(11))), "TooManyEntriesInBatchRequest", "TooManyEntriesInBatchRequest"),
    ],
    ids=["empty", "same id", "space in the id", "long id", "too long", "eleven"],
)
def test_a_batch_that_is_refused_as_a_whole(
    queue: QueueUnderTest, given: list[SendMessageBatchRequestEntryTypeDef], error: str, code: str
) -> None:
    with pytest.raises(queue.client.exceptions.ClientError) as caught:
        queue.client.send_message_batch(QueueUrl=queue.url, Entries=given)
    assert type(caught.value).__name__ == error
    assert refusal(caught) == (f"AWS.SimpleQueueService.{code}", 400)
    assert queue.counters() == (1, 0, 0)


def test_a_handle_that_was_made_up(queue: QueueUnderTest) -> None:
    """RH-9."""
    with pytest.raises(queue.client.exceptions.ReceiptHandleIsInvalid, match="nonsense"):
        queue.delete(Got("", "nonsense", "", {}))
    with pytest.raises(queue.client.exceptions.ReceiptHandleIsInvalid, match="nonsense"):
        queue.hide(Got("", "nonsense", "", {}), 1)
    assert queue.counters() == (1, 0, 0)


def test_the_handle_of_another_queue(queue: QueueUnderTest) -> None:
    other = create(queue.client, "other")
    message = queue.one()
    with pytest.raises(queue.client.exceptions.ReceiptHandleIsInvalid):
        other.delete(message)
    assert queue.counters() == (0, 1, 0)


def test_partial_failure_of_deletes(queue: QueueUnderTest) -> None:
    """BT-5: each entry is judged alone."""
    message = queue.one()
    answer = queue.client.delete_message_batch(
        QueueUrl=queue.url,
        Entries=[{"Id": "good", "ReceiptHandle": message.handle}, {"Id": "bad", "ReceiptHandle": "nonsense"}],
    )
    assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
    assert [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in answer["Failed"]] == [
        ("bad", "ReceiptHandleIsInvalid", True)
    ]
    assert queue.counters() == (0, 0, 0)


def test_botocore_refuses_wrong_types_itself(queue: QueueUnderTest) -> None:
    with pytest.raises(ParamValidationError):
        queue.client.send_message(QueueUrl=queue.url, MessageBody=7)  # type: ignore[arg-type]


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("body", [7, True, ["x"], {"x": "y"}])
def test_wrong_types_that_botocore_lets_through(body: object) -> None:
    """AWS's own parser refuses them, before it looks at anything else."""
    client = sqs_client(config=Config(parameter_validation=False))
    queue = create(client, "orders")
    with pytest.raises(client.exceptions.ClientError, match="can not be converted to a String") as caught:
        client.send_message(QueueUrl=queue.url, MessageBody=body)  # type: ignore[arg-type]
    assert refusal(caught) == ("SerializationException", 400)
    assert queue.counters() == (0, 0, 0)

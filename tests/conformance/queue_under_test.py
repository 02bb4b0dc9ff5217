"""A queue as a test wants to speak of it, through a real client: words instead of nested dictionaries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs
import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType
    from mypy_boto3_sqs.type_defs import MessageTypeDef, ReceiveMessageRequestTypeDef, SendMessageRequestTypeDef


@attrs.frozen
class Got:
    """One received message."""

    body: str
    handle: str
    message_id: str
    attributes: Mapping[str, str]

    @classmethod
    def of(cls, message: MessageTypeDef) -> Got:
        attributes = {str(name): value for name, value in message.get("Attributes", {}).items()}
        return cls(message.get("Body", ""), message.get("ReceiptHandle", ""), message.get("MessageId", ""), attributes)

    @property
    def count(self) -> str:
        return self.attributes["ApproximateReceiveCount"]


@attrs.frozen
class QueueUnderTest:
    """A queue and the client that uses it."""

    client: SQSClient
    url: str

    @property
    def arn(self) -> str:
        return self.attribute("QueueArn")

    def attribute(self, name: QueueAttributeNameType) -> str:
        return self.client.get_queue_attributes(QueueUrl=self.url, AttributeNames=[name])["Attributes"][name]

    def counters(self) -> tuple[int, int, int]:
        """Messages visible, in flight and delayed."""
        return (
            int(self.attribute("ApproximateNumberOfMessages")),
            int(self.attribute("ApproximateNumberOfMessagesNotVisible")),
            int(self.attribute("ApproximateNumberOfMessagesDelayed")),
        )

    def send(self, body: str, *, group: str = "", deduplication: str = "", delay: int | None = None) -> str:
        """Send a message; return its id. In a FIFO queue its body deduplicates unless told otherwise."""
        request: SendMessageRequestTypeDef = {"QueueUrl": self.url, "MessageBody": body}
        if group:
            request["MessageGroupId"] = group
        if self.url.endswith(".fifo"):
            request["MessageDeduplicationId"] = deduplication or body
        if delay is not None:
            request["DelaySeconds"] = delay
        return self.client.send_message(**request)["MessageId"]

    def receive(self, most: int = 10, *, visibility: int | None = None, wait: int | None = None) -> list[Got]:
        """Receive messages with all their system attributes."""
        request: ReceiveMessageRequestTypeDef = {
            "QueueUrl": self.url,
            "MaxNumberOfMessages": most,
            "MessageSystemAttributeNames": ["All"],
        }
        if visibility is not None:
            request["VisibilityTimeout"] = visibility
        if wait is not None:
            request["WaitTimeSeconds"] = wait
        return [Got.of(message) for message in self.client.receive_message(**request).get("Messages", [])]

    def one(self, *, visibility: int | None = None) -> Got:
        """Receive exactly one message."""
        (message,) = self.receive(1, visibility=visibility)
        return message

    def bodies(self, most: int = 10) -> list[str]:
        return [message.body for message in self.receive(most)]

    def delete(self, message: Got) -> None:
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message.handle)

    def hide(self, message: Got, seconds: int) -> None:
        """Change the visibility of a message."""
        self.client.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=message.handle, VisibilityTimeout=seconds
        )


def create(
    client: SQSClient, name: str, attributes: Mapping[QueueAttributeNameType, str] | None = None
) -> QueueUnderTest:
    given = dict(attributes or {})
    if name.endswith(".fifo"):
        given["FifoQueue"] = "true"
    return QueueUnderTest(client, client.create_queue(QueueName=name, Attributes=given)["QueueUrl"])


def with_dead_letters(
    client: SQSClient, name: str, most: int, attributes: Mapping[QueueAttributeNameType, str] | None = None
) -> tuple[QueueUnderTest, QueueUnderTest]:
    """Create a queue whose messages go to another one after a number of receives; return both."""
    stem, dot, suffix = name.partition(".")
    dead_letters = create(client, f"{stem}-dlq{dot}{suffix}", attributes)
    policy = json.dumps({"deadLetterTargetArn": dead_letters.arn, "maxReceiveCount": most})
    return create(client, name, {**(attributes or {}), "RedrivePolicy": policy}), dead_letters


def refusal(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    """Return the code and the HTTP status of an error."""
    response = caught.value.response
    return response.get("Error", {}).get("Code", ""), response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)

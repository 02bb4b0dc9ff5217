"""Real handlers that record what they see of a message, or send it on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypedDict

import boto3
from mypy_boto3_sqs import SQSClient

from chaosqs import record


class Record(TypedDict):
    """What these handlers read of a message."""

    messageId: str
    body: str
    attributes: Mapping[str, str]


class Event(TypedDict):
    """The event of a batch."""

    Records: Sequence[Record]


def client() -> SQSClient:
    """Return a client that types know."""
    return boto3.client("sqs")  # pyright: ignore[reportUnknownMemberType] - boto3 has no types


def notes(event: Event, _: object) -> None:
    """Record each message as the event has it."""
    for each in event["Records"]:
        record("saw", record=json.dumps(each))


def sends_again(event: Event, _: object) -> None:
    """Send each body to its own queue again with the record's own deduplication id, and record SQS's answer."""
    for each in event["Records"]:
        attributes = each["attributes"]
        answer = client().send_message(
            QueueUrl="https://sqs.eu-west-1.amazonaws.com/999999999999/orders.fifo",
            MessageBody=each["body"],
            MessageGroupId=attributes["MessageGroupId"],
            MessageDeduplicationId=attributes["MessageDeduplicationId"],
        )
        record("answer", same=answer["MessageId"] == each["messageId"])


def receives(event: Event, _: object) -> None:
    """Receive a message of another queue with boto3, and record it."""
    del event
    url = "https://sqs.eu-west-1.amazonaws.com/999999999999/parcels"
    found = client().receive_message(QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"])
    for message in found.get("Messages", []):
        record("received", message=json.dumps(message, default=bytes.decode))


def refuses(event: Event, _: object) -> None:
    """Fail."""
    raise ValueError(f"{len(event['Records'])} refused")

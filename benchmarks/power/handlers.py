"""Handlers that tasks run as real code; scenarios name them `benchmarks.power.handlers:<name>`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import boto3

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Event = Mapping[str, Sequence[Mapping[str, str]]]


def reports_the_second(event: Event, _context: object) -> dict[str, list[dict[str, str]]]:
    """Report the second message of the run as failed."""
    failed = [record for record in event["Records"] if record["body"].startswith('{"message": 1}')]
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}


def relay_and_fail(event: Event, _context: object) -> None:
    """Send each message to another queue with its own deduplication id, then raise."""
    sqs = _client()
    url = sqs.get_queue_url(QueueName="audit.fifo")["QueueUrl"]
    for record in event["Records"]:
        number = record["messageId"]
        sqs.send_message(QueueUrl=url, MessageBody=number, MessageGroupId="audit", MessageDeduplicationId=number)
    raise RuntimeError


def _client() -> SQSClient:
    return boto3.client("sqs")  # pyright: ignore[reportUnknownMemberType] - its other services are not typed

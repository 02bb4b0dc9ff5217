"""Real handlers of the net: what they see and get they record, so that it is in the history.

The net's scenarios name them, so they are not shared with other tests. None keeps anything between two invocations.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import random
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Protocol, TypedDict

import boto3
from botocore.exceptions import ClientError
from mypy_boto3_sqs import SQSClient

import chaosqs

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/"


class Message(TypedDict):
    messageId: str
    receiptHandle: str
    body: str
    md5OfBody: str
    eventSourceARN: str
    attributes: Mapping[str, str]


class Event(TypedDict):
    Records: Sequence[Message]


class Context(Protocol):
    aws_request_id: str
    function_name: str
    function_version: str
    invoked_function_arn: str
    memory_limit_in_mb: str

    def get_remaining_time_in_millis(self) -> int: ...


def client() -> SQSClient:
    return boto3.client("sqs", region_name="us-east-1")  # pyright: ignore[reportUnknownMemberType] - its other services are not typed


def numbers(event: Event) -> list[int]:
    return [int(json.loads(message["body"])["message"]) for message in event["Records"]]


def failed(*identities: str) -> object:
    return {"batchItemFailures": [{"itemIdentifier": identity} for identity in identities]}


# Time and failure -----------------------------------------------------------------------------------------------------


def naps(_event: Event, _context: Context) -> None:
    time.sleep(1)


def naps_unevenly(event: Event, _context: Context) -> None:
    for number in numbers(event):
        time.sleep(0.1 + 0.35 * (number % 4))


def naps_by_chance(_event: Event, _context: Context) -> None:
    time.sleep(random.uniform(0, 3))


def spins(_event: Event, _context: Context) -> None:
    until = time.monotonic() + 0.2
    while time.monotonic() < until:
        pass


def hangs(_event: Event, _context: Context) -> None:
    time.sleep(1000)


def hangs_and_cleans_up(event: Event, _context: Context) -> None:
    try:
        time.sleep(1000)
    finally:
        client().delete_message(QueueUrl=URL + "orders", ReceiptHandle=event["Records"][0]["receiptHandle"])


def raises(_event: Event, _context: Context) -> None:
    time.sleep(0.25)
    raise KeyError("order\nand more")


def raises_on_the_third(event: Event, _context: Context) -> None:
    if 2 in numbers(event):
        raise ValueError("message 3")


def raises_by_chance(_event: Event, _context: Context) -> None:
    if random.random() < 0.4:
        raise ConnectionError("no luck")


def exits(_event: Event, _context: Context) -> None:
    sys.exit(3)


def recurses(_event: Event, _context: Context) -> None:
    raise RecursionError("too deep")


def divides(event: Event, _context: Context) -> None:
    for number in numbers(event):
        try:
            time.sleep(0.05)
            _ = 1 // (number % 3)
        except ZeroDivisionError as error:
            raise RuntimeError(f"order {number}") from error


# Answers ------------------------------------------------------------------------------------------------------------


def answers(event: Event, _context: Context) -> object:
    """Return one of the answers that Lambda reads in different ways, by the number of the first message."""
    identity = event["Records"][0]["messageId"]
    table: Sequence[object] = (
        None,
        {"batchItemFailures": []},
        failed(identity),
        failed("another"),
        failed(""),
        {"batchItemFailure": [{"itemIdentifier": identity}]},
        {"batchItemFailures": None},
        {"batchItemFailures": [{"itemIdentifier": None}]},
        {"batchItemFailures": identity},
        "done",
        {1, 2},
        "x" * 6_291_555,
        b"\xff",
        {},
        7,
    )
    return table[numbers(event)[0] % len(table)]


def reports_the_odd(event: Event, _context: Context) -> object:
    time.sleep(0.1)
    return failed(*(message["messageId"] for message in event["Records"] if json.loads(message["body"])["message"] % 2))


def reports_from_the_first_failure_on(event: Event, _context: Context) -> object:
    for place, number in enumerate(numbers(event)):
        if number % 3 == 1 and int(event["Records"][place]["attributes"]["ApproximateReceiveCount"]) < 2:
            return failed(*(message["messageId"] for message in event["Records"][place:]))
        time.sleep(0.05)
    return failed()


# What a handler sees --------------------------------------------------------------------------------------------------


def sees_the_event(event: Event, _context: Context) -> None:
    for message in event["Records"]:
        attributes = message["attributes"]
        handle = hashlib.sha256(message["receiptHandle"].encode()).hexdigest()[:12]
        chaosqs.record("seen", message, handle=handle, md5=message["md5OfBody"], source=message["eventSourceARN"])
        chaosqs.record("attributes", **{name: attributes[name] for name in sorted(attributes)})


def sees_the_context(_event: Event, context: Context) -> None:
    first = context.get_remaining_time_in_millis()
    time.sleep(0.75)
    chaosqs.record(
        "context",
        request=context.aws_request_id,
        name=context.function_name,
        version=context.function_version,
        arn=context.invoked_function_arn,
        memory=context.memory_limit_in_mb,
        remaining=first,
        later=context.get_remaining_time_in_millis(),
    )


def sees_the_clock(_event: Event, _context: Context) -> None:
    chaosqs.record("clock", time=time.time(), monotonic=time.monotonic(), now=dt.datetime.now(dt.UTC).isoformat())
    time.sleep(0.3)
    chaosqs.record("clock", time=time.time_ns(), monotonic=time.perf_counter_ns(), today=dt.date.today().isoformat())  # noqa: DTZ011


def sees_chance(_event: Event, _context: Context) -> None:
    drawn = random.Random(5).randint(1, 100)
    chaosqs.record("chance", number=random.random(), uuid=str(uuid.uuid4()), bytes=os.urandom(4).hex(), seeded=drawn)


# The user's marks -----------------------------------------------------------------------------------------------------


def charges(event: Event, _context: Context) -> None:
    for message in event["Records"]:
        chaosqs.record("charged", message, order=json.loads(message["body"])["message"])
        time.sleep(0.1)


def charges_and_fails(event: Event, _context: Context) -> None:
    for message in event["Records"]:
        chaosqs.record("charged", message, order=json.loads(message["body"])["message"])
    if chaosqs.fault_point("after-charge"):
        raise ConnectionError("card network")


def marks(event: Event, _context: Context) -> None:
    if len(event["Records"]) > 1:
        chaosqs.sometimes("many")
    if chaosqs.fault_point("book"):
        time.sleep(2)
    chaosqs.record("booked", count=len(event["Records"]), whole=len(event["Records"]) == 10, nothing=None)


# Calls to SQS ---------------------------------------------------------------------------------------------------------


def passes_on(event: Event, _context: Context) -> None:
    for message in event["Records"]:
        sent = client().send_message(QueueUrl=URL + "done", MessageBody=message["body"])
        chaosqs.record("passed", message, identity=sent["MessageId"])


def passes_on_late(event: Event, _context: Context) -> None:
    entries = [
        {"Id": str(place), "MessageBody": message["body"], "DelaySeconds": 2}
        for place, message in enumerate(event["Records"])
    ]
    answer = client().send_message_batch(QueueUrl=URL + "done", Entries=entries)  # type: ignore[arg-type]
    chaosqs.record("passed", count=len(answer["Successful"]))
    time.sleep(0.5)


def polls(_event: Event, _context: Context) -> None:
    sqs = client()
    sqs.send_message(QueueUrl=URL + "done", MessageBody="one", DelaySeconds=1)
    found = sqs.receive_message(QueueUrl=URL + "done", WaitTimeSeconds=20, MaxNumberOfMessages=10)
    chaosqs.record("polled", at=time.monotonic(), count=len(found.get("Messages", [])))


def deletes_before_the_work(event: Event, _context: Context) -> None:
    sqs = client()
    for message in event["Records"]:
        sqs.delete_message(QueueUrl=URL + "orders", ReceiptHandle=message["receiptHandle"])
    raise RuntimeError("no connection")


def puts_back(event: Event, _context: Context) -> None:
    """Send each message to its own queue again: a recursive loop."""
    for message in event["Records"]:
        client().send_message(QueueUrl=URL + "orders", MessageBody=message["body"])


def hides_too_briefly(event: Event, _context: Context) -> None:
    for message in event["Records"]:
        handle = message["receiptHandle"]
        client().change_message_visibility(QueueUrl=URL + "orders", ReceiptHandle=handle, VisibilityTimeout=1)
        time.sleep(2)


def gives_back_early(event: Event, _context: Context) -> None:
    handle = event["Records"][0]["receiptHandle"]
    client().change_message_visibility(QueueUrl=URL + "orders", ReceiptHandle=handle, VisibilityTimeout=0)
    raise ValueError("again, please")


def looks_up_its_queue(_event: Event, _context: Context) -> None:
    found = client().get_queue_attributes(QueueUrl=URL + "orders", AttributeNames=["All"])["Attributes"]
    chaosqs.record("attributes", **{name: found[name] for name in sorted(found)})


def asks_for_what_is_not_there(_event: Event, _context: Context) -> None:
    try:
        client().get_queue_url(QueueName="nowhere")
    except ClientError as error:
        answer = error.response.get("Error", {})
        chaosqs.record("refused", code=answer.get("Code"), text=answer.get("Message"))


def empties_another_queue(_event: Event, _context: Context) -> None:
    sqs = client()
    sqs.send_message(QueueUrl=URL + "done", MessageBody="one")
    sqs.purge_queue(QueueUrl=URL + "done")

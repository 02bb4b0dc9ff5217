"""Real handlers for the tests: some that behave, some that look around, some that break what they can."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC
from datetime import datetime as date_time
from time import sleep
from typing import Protocol, TypedDict

import attrs
import boto3
import trio
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    process_partial_response,  # pyright: ignore[reportUnknownVariableType] - it is typed in part
)
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext
from mypy_boto3_sqs import SQSClient

from tests.process_wide import process_wide

URL = "https://sqs.eu-west-1.amazonaws.com/999999999999/"
"""Of another account and Region than the design's."""
NOTES: list[object] = process_wide("notes of consumers", list[object])
EVENTS: list[Event] = process_wide("events of consumers", list["Event"])
CONTEXTS: list[Context] = process_wide("contexts of consumers", list["Context"])
LOOKS: list[Look] = process_wide("looks of consumers", list["Look"])
"""What handlers noted; `forget` clears it."""


def forget() -> None:
    for notes in (NOTES, EVENTS, CONTEXTS, LOOKS):
        notes.clear()


@attrs.frozen
class Look:
    """What a handler saw; of each pair the second is in nanoseconds at its source."""

    time: tuple[float, float]
    monotonic: tuple[float, float]
    year: int
    moment: dt.datetime
    aware: dt.datetime
    day: dt.date
    known: bool
    """Whether real dates are instances of what stands for their classes."""
    chance: tuple[float, str, uuid.UUID, bytes]


class Record(TypedDict):
    messageId: str
    receiptHandle: str
    body: str
    attributes: Mapping[str, str]


class Event(TypedDict):
    Records: Sequence[Record]


class Context(Protocol):
    aws_request_id: str

    def get_remaining_time_in_millis(self) -> int: ...


def client() -> SQSClient:
    return boto3.client("sqs")  # pyright: ignore[reportUnknownMemberType] - its other services are not typed


def numbers(event: Event) -> list[int]:
    return [json.loads(record["body"])["message"] for record in event["Records"]]


# Those that behave ------------------------------------------------------------------------------------------------


def naps(_event: Event, _context: Context) -> None:
    time.sleep(1)


def naps_by_name(_event: Event, _context: Context) -> None:
    sleep(1)


def naps_twice(_event: Event, _context: Context) -> None:
    time.sleep(0.5)
    time.sleep(0.5)


def notes_event(event: Event, _context: Context) -> None:
    EVENTS.append(event)


def notes_context(_event: Event, context: Context) -> None:
    CONTEXTS.append(context)
    first = context.get_remaining_time_in_millis()
    time.sleep(2.5)
    NOTES.append((first, context.get_remaining_time_in_millis()))


def answers(event: Event, _context: Context) -> object:
    """Return what the body of the first message asks for."""
    first = event["Records"][0]
    wanted = numbers(event)[0]
    identity = first["messageId"]
    table: dict[int, object] = {
        0: None,
        1: {"batchItemFailures": []},
        2: {"batchItemFailures": [{"itemIdentifier": identity}]},
        3: {"batchItemFailures": [{"itemIdentifier": "another"}]},
        4: {"batchItemFailure": [{"itemIdentifier": identity}]},
        5: "done",
        6: {1, 2},
        7: "x" * 6_291_555,
        8: b"\xff",
    }
    return table[wanted]


def processes_with_powertools(event: dict[str, object], context: LambdaContext) -> object:
    def one(record: SQSRecord) -> None:
        if json.loads(record.body)["message"] % 2:
            raise ValueError(record.message_id)

    return process_partial_response(event, one, BatchProcessor(EventType.SQS), context)


# Those that fail --------------------------------------------------------------------------------------------------


def raises(_event: Event, _context: Context) -> None:
    time.sleep(0.25)
    raise KeyError(f"order of {object()}\nand more")


def exits(_event: Event, _context: Context) -> None:
    sys.exit(3)


def hangs(event: Event, _context: Context) -> None:
    NOTES.append("hangs")
    try:
        time.sleep(1000)
    finally:
        client().delete_message(QueueUrl=URL + "orders", ReceiptHandle=event["Records"][0]["receiptHandle"])


def spins(_event: Event, _context: Context) -> None:
    until = time.monotonic() + 0.2
    while time.monotonic() < until:
        pass


def spins_for_long(_event: Event, _context: Context) -> None:
    while time.time_ns():
        pass


def sends_then_naps(_event: Event, _context: Context) -> None:
    client().send_message(QueueUrl=URL + "done", MessageBody="one")
    time.sleep(0.5)
    client().send_message(QueueUrl=URL + "done", MessageBody="two")
    NOTES.append(time.time())


# Those that look around -------------------------------------------------------------------------------------------


def looks_around(_event: Event, _context: Context) -> None:
    kinds: list[type] = [date_time, dt.datetime, dt.date]
    LOOKS.append(
        Look(
            time=(time.time(), time.time_ns() / 1e9),
            monotonic=(time.monotonic(), time.perf_counter_ns() / 1e9),
            year=time.gmtime().tm_year,
            moment=dt.datetime.now(),  # noqa: DTZ005 - as handlers do
            aware=date_time.now(UTC),
            day=dt.date.today(),  # noqa: DTZ011
            known=all(isinstance(date_time.now(UTC), kind) and issubclass(date_time, kinds[2]) for kind in kinds),
            chance=(random.random(), random.choice("abc"), uuid.uuid4(), os.urandom(3)),
        )
    )


def starts_a_process(_event: Event, _context: Context) -> None:
    os.fork()


def starts_a_loop(_event: Event, _context: Context) -> None:
    trio.run(trio.sleep, 0)


def long_polls(_event: Event, _context: Context) -> None:
    found = client().receive_message(QueueUrl=URL + "done", WaitTimeSeconds=20)
    NOTES.append((time.monotonic(), len(found.get("Messages", []))))


def sends_a_message(_event: Event, _context: Context) -> None:
    client().send_message(QueueUrl=URL + "done", MessageBody="one")


def sends_a_batch(_event: Event, _context: Context) -> None:
    entries = [{"Id": "a", "MessageBody": "one"}, {"Id": "b", "MessageBody": "two"}]
    client().send_message_batch(QueueUrl=URL + "done", Entries=entries)  # type: ignore[arg-type]
    found = client().receive_message(QueueUrl=URL + "done", MessageSystemAttributeNames=["AWSTraceHeader"])
    NOTES.extend(message.get("Attributes") for message in found.get("Messages", []))


def sends_with_a_header_of_its_own(_event: Event, _context: Context) -> None:
    own: dict[str, str] = {"StringValue": "Root=1-5759e988-bd862e3fe1be46a994272793", "DataType": "String"}
    client().send_message(
        QueueUrl=URL + "done",
        MessageBody="one",
        MessageSystemAttributes={"AWSTraceHeader": own},  # type: ignore[dict-item]
    )
    found = client().receive_message(QueueUrl=URL + "done", MessageSystemAttributeNames=["AWSTraceHeader"])
    NOTES.extend(message.get("Attributes") for message in found.get("Messages", []))


def presses_stop(_event: Event, _context: Context) -> None:
    raise KeyboardInterrupt


# The common broken consumers --------------------------------------------------------------------------------------


def swallows_errors(event: Event, _context: Context) -> None:
    """Fails on every message, and tells nobody."""
    for record in event["Records"]:
        try:
            int(record["body"])
        except ValueError:
            NOTES.append("an error")


def deletes_before_the_work(event: Event, _context: Context) -> None:
    """Deletes by hand what it has not done yet."""
    sqs = client()
    for record in event["Records"]:
        sqs.delete_message(QueueUrl=URL + "orders", ReceiptHandle=record["receiptHandle"])
    raise RuntimeError("no connection")


def sends_to_its_own_queue(event: Event, _context: Context) -> None:
    """Puts a message back to try again later: a recursive loop."""
    for record in event["Records"]:
        client().send_message(QueueUrl=URL + "orders", MessageBody=record["body"])


def works_longer_than_visible(event: Event, _context: Context) -> None:
    """Hides the message for less time than it needs, so it is received again while it works."""
    for record in event["Records"]:
        queue = URL + "orders"
        client().change_message_visibility(QueueUrl=queue, ReceiptHandle=record["receiptHandle"], VisibilityTimeout=1)
        time.sleep(3)


def fails_on_one(event: Event, _context: Context) -> None:
    """One bad message fails its whole batch."""
    if 3 in numbers(event):
        raise ValueError("message 3")


not_a_function = 5

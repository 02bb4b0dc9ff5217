"""Handlers that use other services of AWS."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Protocol, TypeAlias
from urllib.parse import unquote_plus

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

import chaosqs

Event: TypeAlias = Mapping[str, Sequence[Mapping[str, object]]]
TOPIC = "arn:aws:sns:us-east-1:123456789012:news"


class Client(Protocol):
    """A client, whose operations have no types here."""

    def __getattr__(self, name: str) -> Operation: ...


class Operation(Protocol):
    def __call__(self, **parameters: object) -> Mapping[str, object]: ...


@cache
def client(service: str) -> Client:
    session = boto3.Session(region_name="us-east-1")
    made: Client = getattr(session, "client")(service)  # noqa: B009 - the stubs know no name but SQS's
    return made


def text(value: object) -> str:
    return json.dumps(value, default=str, sort_keys=True)


def uses_three(event: Event, _: object) -> None:
    """Put an item, publish it, store it, and record every byte of the answers."""
    for record in event["Records"]:
        answers = (
            client("dynamodb").put_item(TableName="orders", Item={"id": {"S": str(record["messageId"])}}),
            client("sns").publish(TopicArn=TOPIC, Message=record["body"]),
            client("s3").put_object(Bucket="archive", Key=str(record["messageId"]), Body=b"an order"),
            client("dynamodb").scan(TableName="orders"),
            client("s3").list_objects_v2(Bucket="archive"),
        )
        chaosqs.record("answers", record, **{f"answer{index}": text(answer) for index, answer in enumerate(answers)})


def records_body(event: Event, _: object) -> None:
    for record in event["Records"]:
        chaosqs.record("body", record, body=str(record["body"]), attributes=text(record["messageAttributes"]))


def swallows_everything(event: Event, _: object) -> object:
    """Call what nothing answers, and hide it."""
    failures: list[object] = []
    for record in event["Records"]:
        try:
            client("braket").search_devices(filters=[])
        except Exception:  # noqa: BLE001 - that is the point
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def publishes(event: Event, _: object) -> None:
    for record in event["Records"]:
        kind = {"kind": {"DataType": "String", "StringValue": str(record["body"])[:1]}}
        client("sns").publish(TopicArn=TOPIC, Message=record["body"], MessageAttributes=kind)


FIFO_TOPIC = "arn:aws:sns:us-east-1:123456789012:steps.fifo"


def publishes_in_order(event: Event, _: object) -> None:
    """Publish steps of two groups, one of them twice, alone and as a batch."""
    del event
    client("sns").publish(TopicArn=FIFO_TOPIC, Message="1", MessageGroupId="a", MessageDeduplicationId="a1")
    client("sns").publish(TopicArn=FIFO_TOPIC, Message="1 again", MessageGroupId="b", MessageDeduplicationId="a1")
    entries = [
        {"Id": step, "Message": step, "MessageGroupId": group, "MessageDeduplicationId": f"{group}{step}"}
        for group, step in (("a", "2"), ("b", "5"), ("a", "3"), ("a", "4"))
    ]
    client("sns").publish_batch(TopicArn=FIFO_TOPIC, PublishBatchRequestEntries=entries)


def publishes_contents(event: Event, _: object) -> None:
    """Publish contents without ids, one of them twice at once and once more after five minutes."""
    del event
    for content, pause in (("x", 0), ("y", 0), ("x", 301), ("x", 0)):
        client("sns").publish(TopicArn=FIFO_TOPIC, Message=content, MessageGroupId="a")
        time.sleep(pause)


def stores(event: Event, _: object) -> None:
    for record in event["Records"]:
        client("s3").put_object(Bucket="archive", Key="new/order.json", Body=str(record["body"]).encode())


def emits(event: Event, _: object) -> None:
    del event
    entry = {"Source": "shop", "DetailType": "order", "Detail": '{"id": 7}'}
    client("events").put_events(Entries=[entry])


def reads_settings(_event: Event, _context: object) -> None:
    parameter = client("ssm").get_parameter(Name="/shop/rate")
    found = client("secretsmanager").get_secret_value(SecretId="key")
    chaosqs.record("settings", parameter=text(parameter["Parameter"]), hidden=str(found["SecretString"]))


def puts(event: Event, _: object) -> None:
    for record in event["Records"]:
        try:
            client("dynamodb").put_item(TableName="orders", Item={"id": {"S": str(record["messageId"])}})
        except (BotoCoreError, ClientError) as error:
            chaosqs.record("failed", record, error=type(error).__name__, message=str(error))
            raise


def asks_model(event: Event, _: object) -> None:
    for record in event["Records"]:
        answer = client("braket").search_devices(filters=[])
        item = client("dynamodb").get_item(TableName="orders", Key={"id": {"S": "seed"}})
        chaosqs.record("answer", record, devices=text(answer["devices"]), found="Item" in item)


def puts_impatiently(event: Event, _: object) -> None:
    """Put an item with a client that waits for 2 seconds, and tries as often as botocore does by default."""
    impatient = timed_client("dynamodb", 2, 4)
    for record in event["Records"]:
        impatient.put_item(TableName="orders", Item={"id": {"S": str(record["messageId"])}})
        chaosqs.record("done", record)


def gives_up(event: Event, _: object) -> None:
    """Put an item with a client that waits for 2 seconds and does not try again."""
    once = timed_client("dynamodb", 2, 0)
    for record in event["Records"]:
        try:
            once.put_item(TableName="orders", Item={"id": {"S": str(record["messageId"])}})
        except BotoCoreError as error:
            chaosqs.record("failed", record, error=type(error).__name__, message=str(error))


def timed_client(service: str, seconds: float, retries: int) -> Client:
    session = boto3.Session(region_name="us-east-1")
    config = Config(read_timeout=seconds, retries={"mode": "legacy", "max_attempts": retries})
    made: Client = getattr(session, "client")(service, config=config)  # noqa: B009 - as above
    return made


def puts_and_waits(event: Event, context: object) -> None:
    puts(event, context)
    time.sleep(1)
    chaosqs.record("done", thread=threading.get_ident())


def records_its_retry_mode(event: Event, _: object) -> None:
    """Record a setting of a client that a configuration file of AWS could change."""
    made: Client = getattr(boto3.session.Session(), "client")("dynamodb")  # noqa: B009 - the stubs know no name but SQS's
    config: object = getattr(vars(made)["meta"], "config")  # noqa: B009 - the stubs do not know it
    retries = text(vars(config)["retries"])
    for record in event["Records"]:
        chaosqs.record("body", record, body=retries)


def reads_the_object(event: Event, _: object) -> None:
    """Get the object that a notification of S3 tells of."""
    for record in event["Records"]:
        told = json.loads(str(record["body"]))["Records"][0]["s3"]
        key = unquote_plus(told["object"]["key"])
        answer = client("s3").get_object(Bucket=told["bucket"]["name"], Key=key)
        chaosqs.record("body", record, body=str(answer["ContentLength"]))

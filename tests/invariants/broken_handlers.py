"""Handlers that are wrong in one way each, or nearly: scenarios of the tests of invariants name them."""

from __future__ import annotations

import json
import logging
import time
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tests.conformance.clients import sqs_client
from tests.lambda_.service_handlers import TOPIC, client

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef


Event = dict[str, list[dict[str, str]]]


def fails(_event: Event, _context: object) -> None:
    raise ValueError("every message")


def fails_on_some(event: Event, _context: object) -> None:
    """Fail on every third message, and with it on its batch."""
    for record in event["Records"]:
        if json.loads(record["body"])["message"] % 3 == 0:
            raise ValueError("poison")


def forwards(event: Event, _context: object) -> None:
    """Send all messages on to a second queue, at once."""
    numbers = [str(json.loads(record["body"])["message"]) for record in event["Records"]]
    entries: list[SendMessageBatchRequestEntryTypeDef] = [
        {"Id": number, "MessageBody": f'{{"sent": {number}}}'} for number in numbers
    ]
    sqs_client().send_message_batch(QueueUrl="second", Entries=entries)


def fails_on_what_was_sent(event: Event, _context: object) -> None:
    for record in event["Records"]:
        if json.loads(record["body"])["sent"] == 0:
            raise ValueError("poison")


def deletes_first(event: Event, _context: object) -> None:
    """Delete the messages, then work for a second."""
    delete(event)
    time.sleep(1)


def deletes_last(event: Event, _context: object) -> None:
    """Work for a second, then delete the messages."""
    time.sleep(1)
    delete(event)


def delete(event: Event) -> None:
    for record in event["Records"]:
        sqs_client().delete_message(QueueUrl="orders", ReceiptHandle=record["receiptHandle"])


def deletes_and_fails(event: Event, _context: object) -> None:
    delete(event)
    raise ValueError("no such order")


def sends_back(event: Event, _context: object) -> None:
    send("orders", event)


def sends_back_20_times(event: Event, _context: object) -> None:
    for record in event["Records"]:
        body = str(record["body"])
        rounds = int(body) if body.isdecimal() else 0
        if rounds < 20:
            sqs_client().send_message(QueueUrl="orders", MessageBody=str(rounds + 1))


def sends_on(event: Event, _context: object) -> None:
    send("orders-dlq", event)


def send(queue: str, event: Event) -> None:
    for record in event["Records"]:
        sqs_client().send_message(QueueUrl=queue, MessageBody=record["body"])


def spells_well(event: Event, _context: object) -> object:
    """Fail on the first message of all, and say so."""
    return report("itemIdentifier", event)


def misspells_the_key(event: Event, _context: object) -> object:
    return report("itemId", event)


def report(key: str, event: Event) -> object:
    failed = [record for record in event["Records"] if json.loads(record["body"])["message"] == 0]
    return {"batchItemFailures": [{key: record["messageId"]} for record in failed]}


def misspells_the_list(event: Event, _context: object) -> object:
    return {"batchItemFailure": [{"itemIdentifier": event["Records"][0]["messageId"]}]}


def talks_http(_event: Event, _context: object) -> object:
    return {"statusCode": 200}


def expects_another_body(event: Event, _context: object) -> None:
    for record in event["Records"]:
        json.loads(record["body"])["id"]


def reports_all(event: Event, _context: object) -> object:
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}


def sends_invoices(event: Event, _context: object) -> None:
    send("invoices", event)
    time.sleep(1)


def sends_invoices_once(event: Event, _context: object) -> None:
    """Let a FIFO queue recognise the repetition (FF-5)."""
    for record in event["Records"]:
        body = record["body"]
        sqs_client().send_message(
            QueueUrl="invoices.fifo",
            MessageBody=body,
            MessageGroupId="all",
            MessageDeduplicationId=body.split()[1][:-1],
        )
    time.sleep(1)


def publishes(event: Event, _context: object) -> None:
    for record in event["Records"]:
        client("sns").publish(TopicArn=TOPIC, Message=record["body"])
    time.sleep(1)


def publishes_once(event: Event, context: object) -> None:
    """Claim each message by a conditional write before."""
    for record in event["Records"]:
        item = {"id": {"S": record["messageId"]}}
        try:
            client("dynamodb").put_item(TableName="done", Item=item, ConditionExpression="attribute_not_exists(id)")
        except ClientError:
            continue
        publishes({"Records": [record]}, context)


def begins_and_skips(event: Event, context: object) -> None:
    """Skip what is in progress, whether or not the invocation that had begun it is still running."""
    for record in event["Records"]:
        key = {"id": {"S": record["messageId"]}}
        if "Item" not in client("dynamodb").get_item(TableName="done", Key=key):
            works(record, context)


def begins_again(event: Event, context: object) -> None:
    """Skip only what is done."""
    for record in event["Records"]:
        item = client("dynamodb").get_item(TableName="done", Key={"id": {"S": record["messageId"]}}).get("Item")
        if item is None or "'done'" not in str(item):
            works(record, context)


def works(record: dict[str, str], context: object) -> None:
    for state in ("in progress", "done"):
        item = {"id": {"S": record["messageId"]}, "state": {"S": state}}
        client("dynamodb").put_item(TableName="done", Item=item)
        if state == "in progress":
            publishes({"Records": [record]}, context)


def answers_too_much(event: object, context: object) -> str:
    """Return more than Lambda takes (LX-5)."""
    del event, context
    return "x" * 6_300_000


def logs_and_reports(event: Event, _context: object) -> dict[str, list[dict[str, str]]]:
    """Report all, and log why."""
    try:
        forwards_nowhere(event)
    except ValueError:
        logging.getLogger().exception("cannot forward")
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in event["Records"]]}


def forwards_nowhere(event: Event) -> None:
    raise ValueError(f"no queue for {len(event)}")


def swallows(event: Event, context: object) -> None:
    """Log what fails, and go on as if it had not."""
    for record in event["Records"]:
        try:
            client("dynamodb").put_item(TableName="done", Item={"id": {"S": record["messageId"]}})
            publishes({"Records": [record]}, context)
        except ClientError:
            logging.getLogger().exception("cannot publish")


def swallows_and_tells(event: Event, context: object) -> None:
    """Leave what fails to others, in a table of its own."""
    for record in event["Records"]:
        try:
            publishes({"Records": [record]}, context)
        except ClientError:
            client("dynamodb").put_item(TableName="done", Item={"id": {"S": record["messageId"]}})


def withdraws_its_claim(event: Event, context: object) -> None:
    """Claim each message, and let it be claimed again if its work fails."""
    for record in event["Records"]:
        key = {"id": {"S": record["messageId"]}}
        try:
            client("dynamodb").put_item(TableName="done", Item=key, ConditionExpression="attribute_not_exists(id)")
        except ClientError:
            continue
        try:
            publishes({"Records": [record]}, context)
        except ClientError:
            client("dynamodb").delete_item(TableName="done", Key=key)
            raise


def reports_a_bare_list(event: Event, _context: object) -> object:
    return [{"itemIdentifier": record["messageId"]} for record in event["Records"]]


def names_items_otherwise(event: Event, _context: object) -> object:
    return {"batchItemFailures": [{"messageId": record["messageId"]} for record in event["Records"]]}


def says_done(_event: Event, _context: object) -> str:
    return "done"


def purges(_event: Event, _context: object) -> None:
    sqs_client().purge_queue(QueueUrl="orders")


def sends_to_the_other_queue(event: Event, _context: object) -> None:
    """Send from `orders` to `returns`, and back."""
    came = str(event["Records"][0]["eventSourceARN"]).rpartition(":")[2]
    send("returns" if came == "orders" else "orders", event)

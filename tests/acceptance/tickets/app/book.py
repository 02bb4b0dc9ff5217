"""Books seats, and asks for a ticket for each booking."""

import json
import os

import boto3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

processor = BatchProcessor(event_type=EventType.SQS)
sqs = boto3.client("sqs")
bookings = boto3.resource("dynamodb").Table(os.environ["BOOKINGS"])


def book(record):
    booking = json.loads(record.body)
    if booking["seats"] < 1:
        raise ValueError("no seats")
    bookings.put_item(Item={"booking": booking["booking"], "state": "booked"})
    sqs.send_message(
        QueueUrl=os.environ["TICKETS_URL"],
        MessageBody=json.dumps({"booking": booking["booking"]}),
        MessageGroupId=str(booking["booking"]),
        MessageDeduplicationId=str(booking["booking"]),  # mend 1: a booking that comes again asks for no second ticket
    )


def handler(event, context):
    return process_partial_response(event=event, record_handler=book, processor=processor, context=context)

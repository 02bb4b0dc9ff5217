"""Writes tickets: the same booking writes the same ticket again."""

import json
import os

import boto3

bookings = boto3.resource("dynamodb").Table(os.environ["BOOKINGS"])


def handler(event, context):
    for record in event["Records"]:
        booking = json.loads(record["body"])["booking"]
        bookings.put_item(Item={"booking": booking, "state": "ticket written"})

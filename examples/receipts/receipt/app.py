"""Sends a receipt for each payment."""

import json
import os

import boto3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response

sns = boto3.client("sns")
processor = BatchProcessor(event_type=EventType.SQS)


def send_receipt(payment):
    sns.publish(TopicArn=os.environ["RECEIPTS_TOPIC"], Message=f"Payment {payment['id']}: {payment['amount']}")


def process(record):
    send_receipt(payment=json.loads(record.body))


def handler(event, context):
    return process_partial_response(event, process, processor, context)

"""Sends a receipt for each payment."""

import json
import os

import boto3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

sns = boto3.client("sns")
processor = BatchProcessor(event_type=EventType.SQS)
config = IdempotencyConfig(event_key_jmespath="id")


@idempotent_function(
    data_keyword_argument="payment",
    config=config,
    persistence_store=DynamoDBPersistenceLayer(os.environ["SEEN_TABLE"]),
)
def send_receipt(payment):
    sns.publish(TopicArn=os.environ["RECEIPTS_TOPIC"], Message=f"Payment {payment['id']}: {payment['amount']}")


def process(record):
    send_receipt(payment=json.loads(record.body))


def handler(event, context):
    config.register_lambda_context(context)
    return process_partial_response(event, process, processor, context)

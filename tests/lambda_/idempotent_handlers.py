"""A handler with Powertools' idempotency, whose store is a table, and the same handler without it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import boto3
from aws_lambda_powertools.utilities.idempotency import (
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.typing import LambdaContext

import chaosqs
from tests.lambda_.service_handlers import TOPIC, client

Event: TypeAlias = Mapping[str, Sequence[Mapping[str, object]]]


STORE = DynamoDBPersistenceLayer("seen", boto3_session=boto3.Session(region_name="us-east-1"))
CONFIG = IdempotencyConfig(event_key_jmespath="message")


@idempotent_function(data_keyword_argument="order", config=CONFIG, persistence_store=STORE)  # type: ignore[untyped-decorator]
def charge_once(order: Mapping[str, object]) -> str:
    return charge(order)


def charge(order: Mapping[str, object]) -> str:
    chaosqs.record("charged", order=str(order["message"]))
    client("sns").publish(TopicArn=TOPIC, Message=str(order["message"]))
    return "done"


def once(event: Event, context: LambdaContext) -> None:
    CONFIG.register_lambda_context(context)
    for record in event["Records"]:
        charge_once(order=json.loads(str(record["body"])))


def again(event: Event, _: LambdaContext) -> None:
    for record in event["Records"]:
        charge(json.loads(str(record["body"])))

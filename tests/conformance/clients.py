"""Clients, typed: the stubs of boto3 know the types of SQS's client only, so mypy and pyright look away here alone."""

from __future__ import annotations

from operator import methodcaller
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient, SQSServiceResource


def sqs_client(region: str | None = None, *, config: Config | None = None, address: str | None = None) -> SQSClient:
    """Return a client of the default session, as a test would make it."""
    return boto3.client("sqs", region, config=config, endpoint_url=address)  # pyright: ignore[reportUnknownMemberType]


def client_of(session: boto3.Session) -> SQSClient:
    return session.client("sqs")  # pyright: ignore[reportUnknownMemberType]


def client_with_keys(region: str = "us-east-1", config: Config | None = None) -> SQSClient:
    """Return a client with credentials of its own: only such a one can be made outside."""
    return boto3.Session("key", "secret", region_name=region).client("sqs", config=config)  # pyright: ignore[reportUnknownMemberType]


def resource() -> SQSServiceResource:
    return boto3.resource("sqs")  # pyright: ignore[reportUnknownMemberType]


def other_client(service: str, address: str | None = None) -> object:
    """Return a client of another service."""
    client: object = methodcaller("client", service, endpoint_url=address)(
        boto3.Session("key", "secret", region_name="us-east-1")
    )
    return client


def call(client: object, operation: str, **parameters: object) -> object:
    """Call an operation of a client of another service."""
    return getattr(client, operation)(**parameters)

"""Clients whose first requests fail: by a handler of the test's own, before a request is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError

from tests.conformance.clients import client_with_keys

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Mode: TypeAlias = Literal["legacy", "standard", "adaptive"]
MODES: tuple[Mode, ...] = ("legacy", "standard", "adaptive")


@attrs.define
class Failing:
    """A test's own handler before a request is sent, which fails the first few."""

    times: int
    status: int = 503
    code: str = "ServiceUnavailable"
    lost: bool = False

    def __call__(self, **_: object) -> AWSResponse | None:
        if not self.times:
            return None
        self.times -= 1
        if self.lost:
            raise ConnectionClosedError(endpoint_url="https://sqs.us-east-1.amazonaws.com/")
        headers: Mapping[str, str] = {"x-amzn-query-error": f"{self.code};Receiver"}
        body = f'{{"__type": "com.amazonaws.sqs#{self.code}", "message": "busy"}}'
        return AWSResponse("", self.status, headers, Body(body.encode()))  # type: ignore[arg-type]


@attrs.frozen
class Body:
    content: bytes

    def stream(self) -> list[bytes]:
        return [self.content]


def failing(handler: Failing, mode: Mode, attempts: int = 10, operation: str = "SendMessage") -> SQSClient:
    client = client_with_keys(config=Config(retries={"mode": mode, "max_attempts": attempts}))
    # The stubs say that handlers answer nothing; those before a request is sent may.
    client.meta.events.register(f"before-send.sqs.{operation}", handler)  # type: ignore[arg-type]
    return client

"""Every test here talks through a real boto3 client, without credentials, and may open no socket."""

from __future__ import annotations

import socket
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.validate import ParamValidator

from chaosqs.mock_aws.aws import MockAws, aws
from chaosqs.mock_aws.lambda_api.api import LambdaApi
from chaosqs.mock_aws.lambda_api.rest import lambda_model
from chaosqs.sqs.api.receiving import Wait
from chaosqs.sqs.api.sqs import Sqs
from chaosqs.wire.transport import output_shape

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*address: object, **_: object) -> None:
        pytest.fail(f"a socket was to be opened to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing in the environment helps a client: no credentials, no Region, no configuration file."""
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_DEFAULT_REGION",
        "AWS_PROFILE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


@pytest.fixture(autouse=True)
def results_are_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """No operation answers with what botocore's model does not have: a client would drop it in silence."""
    call = Sqs.call

    def checked(self: Sqs, operation: str, parameters: Mapping[str, object], *, region: str) -> object:
        result = call(self, operation, parameters, region=region)
        if isinstance(result, Wait):
            return result
        shape = output_shape(operation)
        if shape is None:
            assert result == {}
        else:  # what is required may be left out all the same: AWS sends no empty list of failures
            empty: dict[str, object] = {name: [] for name in shape.required_members}
            report = ParamValidator().validate(empty | result, shape)
            assert not report.has_errors(), report.generate_report()
        return result

    monkeypatch.setattr(Sqs, "call", checked)


@pytest.fixture(autouse=True)
def results_of_lambda_are_of_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for Lambda."""
    call = LambdaApi.call

    def checked(self: LambdaApi, operation: str, parameters: Mapping[str, object], *, region: str) -> dict[str, object]:
        result = call(self, operation, parameters, region=region)
        shape = lambda_model().operation_model(operation).output_shape
        if shape is None:
            assert result == {}
        else:
            assert result.keys() <= shape.members.keys()
            report = ParamValidator().validate(result, shape)
            assert not report.has_errors(), report.generate_report()
        return result

    monkeypatch.setattr(LambdaApi, "call", checked)


EXACT = pytest.mark.parametrize("call_latency", [0])
"""Calls take no time: for tests whose moments are exact."""


@pytest.fixture
def call_latency() -> float | None:
    return None


@pytest.fixture
def world(call_latency: float | None) -> Generator[MockAws]:
    with aws(call_latency=call_latency) as opened:
        yield opened


@pytest.fixture
def sqs(world: MockAws) -> SQSClient:
    return world.client("sqs")

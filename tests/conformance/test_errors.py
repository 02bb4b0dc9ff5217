"""Errors reach the client as AWS sends them: the modelled class, the code, the status, whose fault it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, NoReturn

import attrs
import pytest
from botocore.exceptions import ClientError

from chaosqs.mock_aws.aws import aws
from chaosqs.sqs.api.parameters import SHAPES, ApiError, error
from chaosqs.wire.botocore_hook import opened
from chaosqs.wire.transport import Transport

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@attrs.frozen
class Refusing:
    """Waits for nothing and refuses everything."""

    refusal: ApiError

    def call(self, operation: str, parameters: Mapping[str, object], *, region: str) -> Mapping[str, object]:
        del operation, parameters, region
        raise self.refusal

    def sleep(self, seconds: float) -> None:
        pass

    def jitter(self) -> float:
        return 0.5

    def epoch(self) -> float:
        return 0.0

    def refuse(self, call: str, why: str) -> NoReturn:
        raise AssertionError(call, why)


def refused(client: SQSClient, refusal: ApiError) -> ClientError:
    with opened(Transport(Refusing(refusal))), pytest.raises(ClientError) as caught:
        client.send_message(QueueUrl="https://sqs.us-east-1.amazonaws.com/123456789012/orders", MessageBody="x")
    return caught.value


@pytest.fixture
def json_client() -> SQSClient:
    with aws() as world:
        return world.client()


def test_every_error_of_the_model_is_known(json_client: SQSClient) -> None:
    """No modelled error is missing from the table of errors."""
    modelled = {shape.name for shape in json_client.meta.service_model.error_shapes}
    assert modelled - set(SHAPES) == set()


@pytest.mark.parametrize("shape", SHAPES)
def test_an_error_is_raised_as_its_modelled_class(json_client: SQSClient, shape: str) -> None:
    """`client.exceptions.X` catches X; errors without a shape are plain client errors."""
    raised = refused(json_client, error(shape, "because"))
    code, status = SHAPES[shape]
    details, metadata = raised.response.get("Error", {}), raised.response.get("ResponseMetadata", {})
    modelled = {known.name for known in json_client.meta.service_model.error_shapes}
    assert type(raised).__name__ == (shape if shape in modelled else "ClientError")
    assert (details.get("Code"), details.get("Message")) == (code, "because")
    assert metadata.get("HTTPStatusCode") == status
    assert details | {"Type": "Sender", "QueryErrorCode": shape} == details


def test_a_failure_of_the_service_is_the_receivers_fault(json_client: SQSClient) -> None:
    """Status 5xx: botocore tries again, then raises. How often depends on its release."""
    raised = refused(json_client, ApiError("InternalFailure", "InternalFailure", 500, "oops"))
    details = raised.response.get("Error", {})
    assert details | {"Code": "InternalFailure", "Type": "Receiver"} == details
    assert raised.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) >= 2


@pytest.mark.parametrize("label", ["x" * 81, "a label", "ä"])
def test_labels_of_permissions_are_short_and_plain(label: str) -> None:
    """A refused one changes nothing."""
    with aws() as world:
        client = world.client()
        url = client.create_queue(QueueName="orders")["QueueUrl"]
        with pytest.raises(ClientError, match=r"\(InvalidParameterValue\).* for parameter Label is invalid"):
            client.add_permission(QueueUrl=url, Label=label, AWSAccountIds=["111111111111"], Actions=["SendMessage"])
        assert "Attributes" not in client.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
        client.add_permission(QueueUrl=url, Label="x" * 80, AWSAccountIds=["111111111111"], Actions=["SendMessage"])

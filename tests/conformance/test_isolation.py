"""A world leaves nothing behind, lets nothing out, and the innermost one answers."""

from __future__ import annotations

import os
import subprocess
import sys
from threading import Thread
from typing import TYPE_CHECKING

import boto3
import botocore.endpoint
import botocore.retryhandler
import botocore.waiter
import pytest
from botocore.awsrequest import AWSRequest
from botocore.endpoint import Endpoint
from botocore.exceptions import EndpointConnectionError, NoCredentialsError, NoRegionError
from botocore.handlers import BUILTIN_HANDLERS
from botocore.httpsession import URLLib3Session
from botocore.retries.bucket import TokenBucket
from botocore.retries.standard import ExponentialBackoff, RetryHandler
from botocore.session import Session
from botocore.signers import RequestSigner
from botocore.utils import InstanceMetadataFetcher
from moto.core.config import default_user_config

from chaosqs.errors import InvalidInput, SimulationError
from chaosqs.mock_aws.aws import MockAws, aws
from tests.conformance.clients import call, client_of, client_with_keys, other_client, sqs_client
from tests.conformance.failing import MODES, Failing, failing
from tests.conformance.queue_under_test import create

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

OWNERS = (
    Endpoint,
    RequestSigner,
    Session,
    URLLib3Session,
    ExponentialBackoff,
    RetryHandler,
    TokenBucket,
    botocore.endpoint,
    botocore.retryhandler,
    botocore.waiter,
)


def everything() -> list[object]:
    """Return all that a world could have changed: attributes by identity, handlers, the environment."""
    return [
        *(dict(vars(owner)) for owner in OWNERS),
        list(BUILTIN_HANDLERS),
        dict(os.environ),
        repr(default_user_config),
    ]


def test_everything_is_put_back() -> None:
    before = everything()
    with aws() as world:
        create(world.client("sqs"), "orders")
        assert everything() != before
    assert everything() == before


def test_everything_is_put_back_after_an_error() -> None:
    before = everything()
    with pytest.raises(RuntimeError), aws():
        raise RuntimeError
    assert everything() == before


def test_everything_is_put_back_after_the_last_of_several() -> None:
    """Also where they do not close in the order of their opening."""
    before = everything()
    first, second = aws(), aws()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert everything() != before
    second.__exit__(None, None, None)
    assert everything() == before


def test_outside_a_client_behaves_as_always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests go out to the network, and a client needs a Region and credentials of its own."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    client = client_with_keys()
    with aws():
        client.list_queues()
    with pytest.raises(pytest.fail.Exception, match="a socket was to be opened"):
        client.list_queues()
    with pytest.raises(NoRegionError):
        sqs_client()


def test_what_was_taken_along_does_what_it_replaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a thread that is in the middle of a request when the last world closes."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    before = [dict(vars(owner)) for owner in OWNERS]
    with aws():
        taken = [dict(vars(owner)) for owner in OWNERS]
    for owner, old, new in zip(OWNERS, before, taken, strict=True):
        for name in new:
            if new[name] is not old[name]:
                monkeypatch.setattr(owner, name, new[name])
    assert boto3.Session().get_credentials() is None
    with pytest.raises(NoRegionError):
        sqs_client()
    for mode in MODES:
        client = failing(Failing(2), mode)
        with pytest.raises(pytest.fail.Exception, match="a socket was to be opened"):
            client.send_message(QueueUrl="https://sqs.us-east-1.amazonaws.com/1/q", MessageBody="x")


def test_the_inner_world_answers() -> None:
    with aws(call_latency=0) as outer:
        client = outer.client()
        create(client, "outer")
        with aws(call_latency=0) as inner:
            assert client.list_queues().get("QueueUrls", []) == []
            create(client, "inner").receive(wait=7)
            assert (outer.now, inner.now) == (0, 7)
        assert [url.rpartition("/")[2] for url in client.list_queues()["QueueUrls"]] == ["outer"]


def test_a_thread_that_a_test_starts_is_in_its_world(sqs: SQSClient) -> None:
    thread = Thread(target=create, args=(sqs, "orders"))
    thread.start()
    thread.join()
    assert len(sqs.list_queues()["QueueUrls"]) == 1


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize(
    ("service", "operation", "named"),
    [
        ("dynamodb", "list_tables", "dynamodb ListTables"),
        ("sns", "list_topics", "sns ListTopics"),
        ("s3", "list_buckets", "s3 ListBuckets"),
        ("kinesis", "list_streams", "kinesis ListStreams"),
    ],
)
def test_other_services_are_refused_by_name(service: str, operation: str, named: str) -> None:
    client = other_client(service)
    with pytest.raises(SimulationError, match=rf"^{named}.*SQS only.*passthrough") as caught:
        call(client, operation)
    assert "moto" in str(caught.value)


@pytest.mark.usefixtures("world")
def test_the_search_for_credentials_stays_off_the_network() -> None:
    """Not even the address that only a machine of AWS's has is asked."""
    assert InstanceMetadataFetcher(timeout=1).retrieve_iam_role_credentials() == {}


@pytest.mark.usefixtures("world")
def test_an_http_session_of_botocores_stays_off_the_network() -> None:
    request = AWSRequest("GET", "http://127.0.0.1:9/").prepare()
    with pytest.raises(EndpointConnectionError):
        URLLib3Session().send(request)


def test_credentials_of_a_world_do_not_stay_with_a_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    session = boto3.Session(region_name="us-east-1")
    with aws():
        assert session.get_credentials() is not None
    with pytest.raises(NoCredentialsError):
        client_of(session).list_queues()


def test_presigned_addresses_are_signed(world: MockAws) -> None:
    """To sign an address changes something: the address."""
    assert "X-Amz-Signature" in world.client("sqs").generate_presigned_url("list_queues")


def test_only_moto_can_be_passed_to() -> None:
    with pytest.raises(InvalidInput, match=r"passthrough = 'localstack'.*'moto'"):
        aws(passthrough="localstack")  # type: ignore[arg-type]


def test_a_closed_world_cannot_be_used(world: MockAws) -> None:
    with aws() as closed:
        pass
    with pytest.raises(InvalidInput, match="closed"):
        closed.client("sqs")
    assert world.now == 0


def test_without_boto3_a_world_says_what_it_needs() -> None:
    program = (
        "import sys; sys.modules['botocore'] = None; sys.modules['boto3'] = None\n"
        "from chaosqs.mock_aws.aws import aws\n"
        "with aws(): pass"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError: chaosqs.aws() needs boto3: pip install 'chaosqs[boto]'" in ended.stderr

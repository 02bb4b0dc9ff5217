"""Any client in the process is served: however it was made, whatever it is called through, from any thread."""

from __future__ import annotations

import copy
import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import boto3
import botocore.session
import pytest
from botocore import UNSIGNED
from botocore.config import Config

from chaosqs.mock_aws.aws import MockAws, aws
from tests.conformance.clients import call, client_of, client_with_keys, resource, sqs_client
from tests.conformance.queue_under_test import QueueUnderTest, create

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def digest(*attributes: tuple[str, str, int, bytes]) -> str:
    """Return the MD5 of message attributes from their definition: name, type, kind and value, by name (AT-6)."""
    seen = hashlib.md5()  # noqa: S324 - SQS's own choice
    for name, data_type, kind, value in sorted(attributes):
        for part in (name.encode(), data_type.encode()):
            seen.update(len(part).to_bytes(4, "big") + part)
        seen.update(bytes([kind]) + len(value).to_bytes(4, "big") + value)
    return seen.hexdigest()


MD5_OF_ATTRIBUTES = digest(
    ("text", "String", 1, "ü".encode()), ("number", "Number.int", 1, b"7"), ("bytes", "Binary", 2, b"\x00\xff")
)


def serves(client: SQSClient) -> bool:
    """Tell whether a client can use a queue."""
    queue = create(client, "served")
    queue.send("one")
    queue.delete(queue.one())
    return queue.counters() == (0, 0, 0)


def test_a_client_made_before() -> None:
    client = client_with_keys()
    with aws():
        assert serves(client)


def test_a_client_made_before_without_credentials() -> None:
    client = botocore.session.Session().create_client(
        "sqs", region_name="us-east-1", config=Config(signature_version=UNSIGNED)
    )
    with aws():
        assert call(client, "list_queues")


def test_a_client_made_inside(world: MockAws) -> None:
    assert serves(sqs_client())
    assert serves(client_of(boto3.Session()))
    assert serves(world.client("sqs"))


@pytest.mark.usefixtures("world")
def test_a_plain_botocore_client() -> None:
    client = botocore.session.get_session().create_client("sqs")
    assert client.meta.region_name == "us-east-1"
    assert call(client, "create_queue", QueueName="orders")


@pytest.mark.usefixtures("world")
def test_a_session_can_be_copied() -> None:
    assert serves(client_of(copy.deepcopy(boto3.Session(region_name="eu-west-1"))))


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("address", ["http://localhost:4566", "https://sqs-fips.us-east-1.amazonaws.com"])
def test_a_client_with_an_address_of_its_own(address: str) -> None:
    """The Region is the client's, whatever the address says."""
    client = sqs_client("eu-west-1", address=address)
    assert serves(client)
    assert create(client, "orders").arn == "arn:aws:sqs:eu-west-1:123456789012:orders"


@pytest.mark.usefixtures("world")
@pytest.mark.parametrize("config", [Config(use_dualstack_endpoint=True), Config(signature_version=UNSIGNED)])
def test_a_client_with_a_configuration(config: Config) -> None:
    assert serves(sqs_client(config=config))


@pytest.mark.usefixtures("world")
def test_regions_have_queues_of_their_own() -> None:
    west, east = sqs_client("eu-west-1"), sqs_client("us-east-1")
    queue, other = create(west, "orders"), create(east, "orders")
    assert queue.url == "https://sqs.eu-west-1.amazonaws.com/123456789012/orders"
    queue.send("one")
    assert (queue.counters(), other.counters()) == ((1, 0, 0), (0, 0, 0))
    assert queue.arn == "arn:aws:sqs:eu-west-1:123456789012:orders"


def test_the_region_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-south-1")
    with aws() as world:
        assert sqs_client().meta.region_name == "ap-south-1"
        assert world.client("sqs").meta.region_name == "ap-south-1"


@pytest.mark.usefixtures("world")
def test_the_resource_api() -> None:
    service = resource()
    queue = service.create_queue(QueueName="orders", Attributes={"VisibilityTimeout": "5"})
    queue.send_message(MessageBody="one", MessageAttributes={"n": {"DataType": "Number", "StringValue": "1"}})
    queue.send_messages(Entries=[{"Id": "1", "MessageBody": "two"}])
    first, second = queue.receive_messages(MaxNumberOfMessages=10, MessageAttributeNames=["All"])
    assert (first.body, second.body) == ("one", "two")
    assert first.message_attributes == {"n": {"DataType": "Number", "StringValue": "1"}}
    first.delete()
    second.change_visibility(VisibilityTimeout=0)
    queue.load()
    assert queue.attributes["ApproximateNumberOfMessages"] == "1"
    assert [found.url for found in service.queues.filter(QueueNamePrefix="ord")] == [queue.url]
    assert service.get_queue_by_name(QueueName="orders").url == queue.url
    queue.purge()
    queue.delete()


def test_paginators(sqs: SQSClient) -> None:
    for index in range(25):
        create(sqs, f"queue-{index:02}")
    pages = list(sqs.get_paginator("list_queues").paginate(PaginationConfig={"PageSize": 10}))
    assert [len(page["QueueUrls"]) for page in pages] == [10, 10, 5]
    names = [url.rpartition("/")[2] for page in pages for url in page["QueueUrls"]]
    assert names == [f"queue-{index:02}" for index in range(25)]


def test_every_value_survives_the_protocol(sqs: SQSClient) -> None:
    """Text, numbers and bytes in message attributes, tags, attributes of queues; digests are those of what was sent."""
    url = sqs.create_queue(
        QueueName="orders", Attributes={"DelaySeconds": "0", "VisibilityTimeout": "9"}, tags={"team": "a&b", "x": ""}
    )["QueueUrl"]
    sent = sqs.send_message(
        QueueUrl=url,
        MessageBody="hé\n<&>",
        MessageAttributes={
            "text": {"DataType": "String", "StringValue": "ü"},
            "number": {"DataType": "Number.int", "StringValue": "7"},
            "bytes": {"DataType": "Binary", "BinaryValue": b"\x00\xff"},
        },
        MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1-5759e988-bd862e3f"}},
    )
    (got,) = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], AttributeNames=["All"])["Messages"]
    attributes = got.get("MessageAttributes", {})
    assert sent["MD5OfMessageBody"] == got.get("MD5OfBody") == hashlib.md5("hé\n<&>".encode()).hexdigest()  # noqa: S324
    assert sent["MD5OfMessageAttributes"] == got.get("MD5OfMessageAttributes") == MD5_OF_ATTRIBUTES
    assert attributes["text"] == {"DataType": "String", "StringValue": "ü"}
    assert attributes["number"] == {"DataType": "Number.int", "StringValue": "7"}
    assert attributes["bytes"] == {"DataType": "Binary", "BinaryValue": b"\x00\xff"}
    assert got.get("Attributes", {})["AWSTraceHeader"] == "Root=1-5759e988-bd862e3f"
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"team": "a&b", "x": ""}
    sqs.untag_queue(QueueUrl=url, TagKeys=["team"])
    sqs.tag_queue(QueueUrl=url, Tags={"new": "1"})
    assert sqs.list_queue_tags(QueueUrl=url)["Tags"] == {"x": "", "new": "1"}


def test_batches(sqs: SQSClient) -> None:
    queue = create(sqs, "orders")
    sent = sqs.send_message_batch(
        QueueUrl=queue.url, Entries=[{"Id": str(index), "MessageBody": f"m{index}"} for index in range(10)]
    )
    assert [entry["Id"] for entry in sent["Successful"]] == [str(index) for index in range(10)]
    assert set(sent) == {"Successful", "ResponseMetadata"}
    got = queue.receive()
    assert [message.message_id for message in got] == [entry["MessageId"] for entry in sent["Successful"]]
    hidden = sqs.change_message_visibility_batch(
        QueueUrl=queue.url,
        Entries=[{"Id": str(n), "ReceiptHandle": m.handle, "VisibilityTimeout": 0} for n, m in enumerate(got)],
    )
    assert len(hidden["Successful"]) == 10
    assert queue.counters() == (10, 0, 0)
    deleted = sqs.delete_message_batch(
        QueueUrl=queue.url, Entries=[{"Id": str(n), "ReceiptHandle": m.handle} for n, m in enumerate(queue.receive())]
    )
    assert len(deleted["Successful"]) == 10
    assert queue.counters() == (0, 0, 0)


def test_threads_take_turns_and_lose_nothing(sqs: SQSClient) -> None:
    queue = create(sqs, "orders")

    def produce(thread: int) -> None:
        for index in range(10):
            sqs.send_message_batch(
                QueueUrl=queue.url,
                Entries=[{"Id": str(n), "MessageBody": f"{thread}-{index}-{n}"} for n in range(10)],
            )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(produce, range(8)))
    assert queue.counters() == (800, 0, 0)

    def consume(_: int) -> list[str]:
        bodies: list[str] = []
        while got := queue.receive():
            sqs.delete_message_batch(
                QueueUrl=queue.url, Entries=[{"Id": str(n), "ReceiptHandle": m.handle} for n, m in enumerate(got)]
            )
            bodies += [message.body for message in got]
        return bodies

    with ThreadPoolExecutor(8) as pool:
        bodies = [body for part in pool.map(consume, range(8)) for body in part]
    assert len(bodies) == len(set(bodies)) == 800
    assert queue.counters() == (0, 0, 0)


def test_threads_with_worlds_of_their_own_do_not_mix() -> None:
    def names(thread: int) -> list[str]:
        with aws() as world:
            client = world.client("sqs")
            for _ in range(20):
                create(client, f"queue-{thread}")
            return [url.rpartition("/")[2] for url in client.list_queues()["QueueUrls"]]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(names, range(4))) == [[f"queue-{thread}"] for thread in range(4)]


def test_a_queue_url_of_an_older_client_is_its_address(world: MockAws) -> None:
    """Clients of long ago sent requests to the queue's own address, which then names the queue."""
    queue = create(world.client("sqs"), "orders")
    assert QueueUnderTest(sqs_client(address=queue.url), queue.url).counters() == (0, 0, 0)

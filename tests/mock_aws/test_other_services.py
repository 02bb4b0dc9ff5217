"""Other services in `aws()`: moto answers in virtual time, with the resources of the design."""

from __future__ import annotations

import json

import pytest

from chaosqs.mock_aws.aws import aws
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, RecursiveLoop, Redrive, Resource
from tests.conformance.clients import call, other_client
from tests.conformance.queue_under_test import QueueUnderTest

ARN = "arn:aws:sqs:us-east-1:123456789012:orders"
TOPIC = "arn:aws:sns:us-east-1:123456789012:news"


def resource(kind: str, name: str, **properties: object) -> Resource:
    return Resource(kind, name, json.dumps(properties))


TABLE = resource(
    "AWS::DynamoDB::Table",
    "seen",
    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
    BillingMode="PAY_PER_REQUEST",
)
NEWS = resource("AWS::SNS::Topic", TOPIC, Subscription=[{"Protocol": "sqs", "Endpoint": ARN}])
BUCKET = resource(
    "AWS::S3::Bucket",
    "files",
    NotificationConfiguration={"QueueConfigurations": [{"Event": "s3:ObjectCreated:*", "Queue": ARN}]},
)
DESIGN = Design(
    [Queue("orders")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker")],
    resources=[TABLE, NEWS, BUCKET],
)


def test_the_resources_of_a_design_exist_at_once() -> None:
    """Fresh for each block, without `passthrough`, and their calls take their latency."""
    for _ in range(2):
        with aws(DESIGN) as world:
            table = other_client("dynamodb")
            assert "'Count': 0" in repr(call(table, "scan", TableName="seen"))
            call(table, "put_item", TableName="seen", Item={"id": {"S": "one"}})
            assert "'Count': 1" in repr(call(table, "scan", TableName="seen"))
            assert world.now == pytest.approx(3 * 0.008)


def test_what_topics_and_buckets_send_reaches_functions() -> None:
    """SNS and S3 to a queue of the design, from there by the mapping to the function, in virtual time."""
    bodies: list[dict[str, object]] = []

    def handler(event: dict[str, list[dict[str, str]]], _: object) -> None:
        bodies.extend(json.loads(record["body"]) for record in event["Records"])

    with aws(DESIGN) as world:
        world.function("worker", handler)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - as users write it
        call(other_client("sns"), "publish", TopicArn=TOPIC, Message="hello")
        world.advance(60)
        call(other_client("s3"), "put_object", Bucket="files", Key="key", Body=b"value")
        world.advance(60)
    (news, stored) = bodies
    assert (news["Message"], news["TopicArn"]) == ("hello", TOPIC)
    assert str(news["Timestamp"]).startswith("2025-12-01T00:00:00")
    assert "'key': 'key'" in repr(stored["Records"])
    assert "2025-12-01T00:01:00" in repr(stored["Records"])


@pytest.mark.parametrize(("loop", "published"), [("Terminate", 16), ("Allow", 30)])
def test_LX_16_LX_20_a_loop_through_a_topic_is_counted(loop: RecursiveLoop, published: int) -> None:
    """The trace goes from the handler through SNS to the queue; the handler itself stops after 30."""
    calls: list[str] = []

    def publishes(event: dict[str, list[dict[str, str]]], _: object) -> None:
        for record in event["Records"]:
            if len(calls) < 30:
                calls.append(record["body"])
                call(other_client("sns"), "publish", TopicArn=TOPIC, Message="again")

    function = Function("worker", timeout=5, recursive_loop=loop)
    queues = [Queue("orders", redrive=Redrive("dead", 1)), Queue("dead")]
    design = Design(queues, [function], [EventSourceMapping("orders", "worker")], resources=[NEWS])
    with aws(design) as world:
        world.function("worker", publishes)  # type: ignore[arg-type] # pyright: ignore[reportArgumentType] - as users write it
        world.client().send_message(QueueUrl="orders", MessageBody="first")
        world.run_until_idle()
        world.advance(60)
        assert len(calls) == published


def test_a_topic_of_the_test_reaches_a_queue_of_the_test() -> None:
    """`passthrough` alone: subscribed and published by calls, with raw delivery."""
    with aws(passthrough="moto") as world:
        sqs, sns = world.client(), other_client("sns")
        queue = QueueUnderTest(sqs, sqs.create_queue(QueueName="orders")["QueueUrl"])
        call(sns, "create_topic", Name="news")
        raw = {"RawMessageDelivery": "true"}
        call(sns, "subscribe", TopicArn=TOPIC, Protocol="sqs", Endpoint=ARN, Attributes=raw)
        call(sns, "publish", TopicArn=TOPIC, Message="hello")
        assert [message.body for message in queue.receive(wait=20)] == ["hello"]
        assert world.now < 1

"""Time in a world: what the test asks of it, the latency of calls, and waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chaosqs.errors import InvalidInput
from chaosqs.mock_aws.aws import MockAws, aws
from chaosqs.model.design import Design, Queue, Redrive
from tests.conformance.conftest import EXACT
from tests.conformance.lambda_under_test import functions
from tests.conformance.queue_under_test import QueueUnderTest, create

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@pytest.mark.parametrize(("call_latency", "each"), [(None, 0.008), (0, 0), (0.25, 0.25), (1, 1)])
def test_calls_take_their_latency(world: MockAws, sqs: SQSClient, each: float) -> None:
    """By default the assumption's 8 ms, calls of handlers included; the history has the assumption."""
    queue = create(sqs, "orders")
    queue.send("one")
    queue.delete(queue.one())
    assert world.now == pytest.approx(4 * each)
    world.function("worker", lambda _, __: queue.send("two"))
    functions().invoke()
    assert world.now == pytest.approx(6 * each)
    assert world.history().scenario.assumptions.call_latency == (each * 1000 or 8)


@pytest.mark.parametrize("call_latency", [-1, 1.5, float("nan"), "1"])
def test_a_latency_out_of_range_is_refused(call_latency: float) -> None:
    """From 0 to 1 second, as the assumption has it."""
    with pytest.raises(InvalidInput, match=r"call_latency.*from 0 to 1"):
        aws(call_latency=call_latency)


def test_VT_8_twelve_hours_directly_after_a_receive_are_too_long(sqs: SQSClient) -> None:
    """As on AWS: some of the 12 hours is over when the call arrives."""
    queue = create(sqs, "orders")
    queue.send("one")
    got = queue.one()
    with pytest.raises(sqs.exceptions.ClientError, match="Total VisibilityTimeout"):
        queue.hide(got, 43_200)
    queue.hide(got, 43_199)


def test_advance_moves_time(world: MockAws) -> None:
    world.advance(1.5)
    world.advance(0)
    world.advance(60)
    assert world.now == 61.5
    assert world.time == 1_764_547_261.5


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), "1", None])
def test_advance_refuses_what_is_no_duration(world: MockAws, seconds: float) -> None:
    with pytest.raises(InvalidInput, match="seconds"):
        world.advance(seconds)
    assert world.now == 0


@EXACT
def test_messages_have_the_worlds_time(world: MockAws, sqs: SQSClient) -> None:
    """RX-9: epoch milliseconds, as strings."""
    queue = create(sqs, "orders")
    world.advance(2.5)
    queue.send("one")
    world.advance(1)
    got = queue.one()
    assert got.attributes["SentTimestamp"] == str(round(world.time * 1000) - 1000)
    assert got.attributes["ApproximateFirstReceiveTimestamp"] == str(round(world.time * 1000))


@EXACT
def test_a_long_poll_on_an_empty_queue_takes_its_time(world: MockAws, sqs: SQSClient) -> None:
    """RX-5."""
    assert create(sqs, "orders").receive(wait=20) == []
    assert world.now == 20


@EXACT
def test_a_long_poll_by_the_queues_own_setting(world: MockAws, sqs: SQSClient) -> None:
    """RX-3."""
    queue = create(sqs, "orders", {"ReceiveMessageWaitTimeSeconds": "5"})
    assert queue.receive() == []
    assert world.now == 5
    assert queue.receive(wait=0) == []
    assert world.now == 5


@EXACT
def test_a_long_poll_ends_as_soon_as_a_message_is_there(world: MockAws, sqs: SQSClient) -> None:
    """RX-5, RX-6: a delay that ends, a visibility that ends."""
    queue = create(sqs, "orders", {"VisibilityTimeout": "7"})
    queue.send("one", delay=3)
    assert [message.body for message in queue.receive(wait=20)] == ["one"]
    assert world.now == 3
    assert [message.count for message in queue.receive(wait=20)] == ["2"]
    assert world.now == 10


@EXACT
def test_a_long_poll_with_messages_takes_no_time(world: MockAws, sqs: SQSClient) -> None:
    queue = create(sqs, "orders")
    queue.send("one")
    assert len(queue.receive(wait=20)) == 1
    assert world.now == 0


def test_the_queues_of_a_design_exist_at_once() -> None:
    design = Design(
        [Queue("orders", visibility_timeout=60, redrive=Redrive("dead", 2)), Queue("dead"), Queue("a.fifo")]
    )
    with aws(design) as world:
        client = world.client("sqs")
        queue = QueueUnderTest(client, client.get_queue_url(QueueName="orders")["QueueUrl"])
        assert queue.url == "https://sqs.us-east-1.amazonaws.com/123456789012/orders"
        assert queue.arn == "arn:aws:sqs:us-east-1:123456789012:orders"
        assert queue.attribute("VisibilityTimeout") == "60"
        assert len(client.list_queues()["QueueUrls"]) == 3
        queue.send("one")
        for count in ("1", "2"):
            assert queue.one().count == count
            world.advance(60)
        assert queue.receive() == []
        dead = client.get_queue_url(QueueName="dead")["QueueUrl"]
        assert QueueUnderTest(client, dead).bodies() == ["one"]


def test_worlds_do_not_know_of_each_other() -> None:
    with aws() as first:
        create(first.client("sqs"), "orders")
        first.advance(5)
    with aws() as second:
        assert second.now == 0
        assert second.client("sqs").list_queues().get("QueueUrls", []) == []


def test_two_worlds_give_the_same_answers() -> None:
    """Message ids, handles, request ids and times are the same, whenever and wherever it runs."""

    def answers() -> list[object]:
        with aws() as world:
            client = world.client("sqs")
            url = client.create_queue(QueueName="orders")["QueueUrl"]
            sent = client.send_message(QueueUrl=url, MessageBody="one")
            world.advance(3)
            return [sent, client.receive_message(QueueUrl=url, AttributeNames=["All"])]

    assert answers() == answers()


each_world = pytest.fixture(aws().fixture)


@pytest.mark.parametrize("_", [1, 2])
def test_one_line_makes_a_fixture(each_world: MockAws, _: int) -> None:
    """Each test gets a world of its own."""
    assert each_world.client("sqs").list_queues().get("QueueUrls", []) == []
    create(each_world.client("sqs"), "orders")

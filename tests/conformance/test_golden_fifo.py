"""The golden scenarios of FIFO queues, through a real client (ledger, chapter 13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chaosqs.mock_aws.aws import MockAws
from tests.conformance.queue_under_test import QueueUnderTest, create, refusal

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def filled(sqs: SQSClient, *bodies: str) -> QueueUnderTest:
    """Return a FIFO queue with messages whose first two characters are their group."""
    queue = create(sqs, "orders.fifo")
    for body in bodies:
        queue.send(body, group=body[:2])
    return queue


def test_G_05_an_expired_handle_deletes_nothing(world: MockAws, sqs: SQSClient) -> None:
    """RH-5."""
    queue = filled(sqs, "g1-a")
    message = queue.one()
    world.advance(31)
    with pytest.raises(sqs.exceptions.ClientError, match="expired") as caught:
        queue.delete(message)
    assert refusal(caught) == ("InvalidParameterValue", 400)
    assert queue.one().count == "2"


def test_G_13_a_receive_takes_all_of_a_group_then_the_next(sqs: SQSClient) -> None:
    """FF-13."""
    assert filled(sqs, "g1-a", "g2-a", "g1-b", "g1-c").bodies() == ["g1-a", "g1-b", "g1-c", "g2-a"]


def test_G_14_a_group_waits_for_the_last_of_its_messages_in_flight(sqs: SQSClient) -> None:
    """FF-15, FF-16."""
    queue = filled(sqs, "g1-a", "g1-b", "g1-c")
    first, second = queue.receive(2)
    queue.delete(first)
    assert queue.receive() == []
    queue.delete(second)
    assert queue.bodies() == ["g1-c"]


def test_G_15_only_what_is_before_an_extended_message_comes_back(world: MockAws, sqs: SQSClient) -> None:
    """FF-18."""
    queue = filled(sqs, "g1-a", "g1-b", "g1-c")
    queue.hide(queue.receive()[1], 60)
    world.advance(31)
    assert queue.bodies() == ["g1-a"]


def test_G_16_deduplication_by_queue_ignores_the_group(sqs: SQSClient) -> None:
    """FF-7."""
    queue = create(sqs, "orders.fifo")
    first = queue.send("one", group="g1", deduplication="same")
    assert queue.send("two", group="g2", deduplication="same") == first
    assert queue.bodies() == ["one"]


def test_G_17_deduplication_outlives_the_message(world: MockAws, sqs: SQSClient) -> None:
    """FF-5."""
    queue = filled(sqs, "g1-a")
    queue.delete(queue.one())
    world.advance(299)
    queue.send("g1-a", group="g1")
    assert queue.receive() == []
    world.advance(2)
    queue.send("g1-a", group="g1")
    assert queue.bodies() == ["g1-a"]


def test_G_18_the_delay_is_that_of_the_queue(world: MockAws, sqs: SQSClient) -> None:
    """DL-4, DL-5."""
    queue = create(sqs, "orders.fifo", {"DelaySeconds": "5"})
    queue.send("one", group="g1", delay=0)
    assert queue.receive() == []
    assert queue.counters() == (0, 0, 1)
    world.advance(5)
    assert queue.bodies() == ["one"]
    with pytest.raises(sqs.exceptions.ClientError, match="not valid for this queue type") as caught:
        queue.send("two", group="g1", delay=2)
    assert refusal(caught) == ("InvalidParameterValue", 400)


def test_G_20_a_missing_group_fails_the_whole_batch(sqs: SQSClient) -> None:
    """FF-2."""
    queue = create(sqs, "orders.fifo")
    with pytest.raises(sqs.exceptions.ClientError, match="MessageGroupId") as caught:
        sqs.send_message_batch(
            QueueUrl=queue.url,
            Entries=[
                {"Id": "1", "MessageBody": "x", "MessageGroupId": "g1", "MessageDeduplicationId": "1"},
                {"Id": "2", "MessageBody": "x", "MessageDeduplicationId": "2"},
            ],
        )
    assert refusal(caught) == ("InvalidParameterValue", 400)
    assert queue.counters() == (0, 0, 0)


def test_G_38_messages_that_their_group_blocks_count_as_visible(sqs: SQSClient) -> None:
    """FF-26."""
    queue = filled(sqs, "g1-a", "g1-b", "g2-a", "g2-b", "g3-a", "g3-b")
    assert [queue.one().body, queue.one().body] == ["g1-a", "g2-a"]
    assert queue.counters() == (4, 2, 0)

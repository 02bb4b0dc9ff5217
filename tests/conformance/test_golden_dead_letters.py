"""The golden scenarios of dead-letter queues, through a real client (ledger, chapter 13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chaosqs.mock_aws.aws import MockAws
from tests.conformance.queue_under_test import with_dead_letters

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

DAY = 86_400


def test_G_01_the_receive_after_the_last_one_moves_the_message(world: MockAws, sqs: SQSClient) -> None:
    """DLQ-2 … DLQ-8."""
    queue, dead_letters = with_dead_letters(sqs, "orders", 1)
    sent = queue.send("one")
    assert queue.one().count == "1"
    world.advance(30)
    assert dead_letters.receive() == []
    assert queue.receive() == []
    moved = dead_letters.one()
    assert (moved.message_id, moved.body, moved.count) == (sent, "one", "2")
    assert moved.attributes["DeadLetterQueueSourceArn"] == queue.arn


def test_G_02_a_group_goes_on_without_the_message_that_was_moved(world: MockAws, sqs: SQSClient) -> None:
    """DLQ-3, DLQ-14."""
    queue, dead_letters = with_dead_letters(sqs, "orders.fifo", 2)
    queue.send("one", group="g1")
    queue.send("two", group="g1")
    for _ in range(2):
        assert queue.one().body == "one"
        world.advance(30)
    assert queue.bodies(1) == ["two"]
    assert dead_letters.bodies() == ["one"]


def test_G_03_nothing_moves_without_a_receive(world: MockAws, sqs: SQSClient) -> None:
    """DLQ-4."""
    queue, dead_letters = with_dead_letters(sqs, "orders", 1)
    queue.send("one")
    queue.one()
    world.advance(3 * DAY)
    assert queue.counters() == (1, 0, 0)
    assert dead_letters.counters() == (0, 0, 0)


def test_G_12_a_standard_queue_counts_retention_from_the_first_send(world: MockAws, sqs: SQSClient) -> None:
    """DLQ-9."""
    queue, dead_letters = with_dead_letters(sqs, "orders", 1)
    queue.send("one")
    queue.one()
    world.advance(DAY)
    assert queue.receive() == []
    world.advance(3 * DAY - 1)
    assert dead_letters.counters() == (1, 0, 0)
    world.advance(1)
    assert dead_letters.counters() == (0, 0, 0)


def test_G_12_a_fifo_queue_counts_retention_from_the_move(world: MockAws, sqs: SQSClient) -> None:
    """DLQ-10."""
    queue, dead_letters = with_dead_letters(sqs, "orders.fifo", 1)
    queue.send("one", group="g1")
    queue.one()
    world.advance(DAY)
    assert queue.receive() == []
    world.advance(4 * DAY - 1)
    assert dead_letters.counters() == (1, 0, 0)
    world.advance(1)
    assert dead_letters.counters() == (0, 0, 0)


def test_G_37_a_redriven_message_is_a_new_one(world: MockAws, sqs: SQSClient) -> None:
    """MV-4, MV-5."""
    queue, dead_letters = with_dead_letters(sqs, "orders", 1)
    sent = queue.send("one")
    queue.one()
    world.advance(30)
    assert queue.receive() == []
    sqs.start_message_move_task(SourceArn=dead_letters.arn)
    world.advance(60)
    again = queue.one()
    assert (again.body, again.count) == ("one", "1")
    assert again.message_id != sent
    (task,) = sqs.list_message_move_tasks(SourceArn=dead_letters.arn)["Results"]
    assert (task.get("Status"), task.get("ApproximateNumberOfMessagesMoved")) == ("COMPLETED", 1)

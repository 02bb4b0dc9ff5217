"""Ledger, 11.1: what CloudWatch counts of a queue."""

from __future__ import annotations

from chaosqs.simulator.operations.sqs import Sqs
from tests.operations.probe import queue, with_dead_letters


def test_CW_1_to_CW_9_a_standard_queues_metrics(sqs: Sqs) -> None:
    """Sends and their bytes, receives again and again, deletes again and again, empty receives, the three gauges."""
    orders = queue(sqs, VisibilityTimeout=10)
    orders.send("four")
    orders.send("fourfour", DelaySeconds=100)
    orders.send("x", MessageAttributes={"a": {"DataType": "String", "StringValue": "v"}})
    orders.receive(1)
    orders.advance(10)
    first, _ = orders.receive(2)
    orders.delete(first)
    orders.delete(first)
    orders.receive()
    orders.receive(WaitTimeSeconds=5)
    orders.send("y")
    assert sqs.metrics(orders.url) == {
        "NumberOfMessagesSent": 4,
        "SentMessageSize": 4 + 8 + 9 + 1,
        "NumberOfMessagesReceived": 3,
        "NumberOfMessagesDeleted": 2,
        "NumberOfEmptyReceives": 2,
        "ApproximateNumberOfMessagesVisible": 1,
        "ApproximateNumberOfMessagesNotVisible": 1,
        "ApproximateNumberOfMessagesDelayed": 1,
        "ApproximateAgeOfOldestMessage": 15,
    }


def test_CW_9_to_CW_11_a_fifo_queues_metrics(sqs: Sqs) -> None:
    """Dropped duplicates, and groups with something in flight; a blocked message shows in the oldest age."""
    orders = queue(sqs, "orders.fifo")
    for body, group in (("a", "g1"), ("a", "g1"), ("b", "g1"), ("c", "g2"), ("d", "g3")):
        orders.put(body, group)
    orders.receive(2)
    orders.receive(1)
    orders.advance(9)
    metrics = sqs.metrics(orders.url)
    assert metrics["NumberOfMessagesSent"] == 4
    assert metrics["NumberOfDeduplicatedSentMessages"] == 1
    assert metrics["ApproximateNumberOfGroupsWithInflightMessages"] == 2
    assert metrics["ApproximateAgeOfOldestMessage"] == 9
    orders.advance(21)
    assert sqs.metrics(orders.url)["ApproximateNumberOfGroupsWithInflightMessages"] == 0


def test_CW_3_purged_and_moved_messages_are_no_deletes(sqs: Sqs) -> None:
    """Nobody asked to delete them."""
    orders, dead = with_dead_letters(sqs, 1, VisibilityTimeout=0)
    orders.send()
    orders.one()
    orders.receive()
    dead.call("PurgeQueue")
    assert (orders.metric("deleted"), dead.metric("deleted")) == (0, 0)


def test_OR_3_CW_9_poison_pills_are_left_out_of_the_oldest_age_where_they_move_to_the_back(sqs: Sqs) -> None:
    """An option, as the move is."""
    orders = queue(sqs, VisibilityTimeout=0)
    machine = sqs.world.region("123456789012", "us-east-1").queues["orders"].line.machine
    setattr(machine, "moves_to_back", True)  # noqa: B010 - the protocol does not have it
    orders.send("poison")
    orders.advance(10)
    orders.send("fresh")
    assert sqs.metrics(orders.url)["ApproximateAgeOfOldestMessage"] == 10
    for _ in range(3):
        orders.bodies(1)
    assert sqs.metrics(orders.url)["ApproximateAgeOfOldestMessage"] == 0
    assert orders.bodies(1) == ["fresh"]

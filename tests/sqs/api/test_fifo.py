"""Ledger, chapter 6: FIFO queues."""

from __future__ import annotations

import pytest

from chaosqs.sqs.api.region import Accounts
from chaosqs.sqs.api.sqs import Sqs
from tests.sqs.api.probe import Got, Probe, entries, listed, queue


@pytest.fixture
def orders(sqs: Sqs) -> Probe:
    return queue(sqs, "orders.fifo")


def fill(orders: Probe, *bodies: str) -> None:
    """Send messages whose first two letters are their group."""
    for body in bodies:
        orders.put(body, body[:2])


def test_FF_2_a_group_id_is_required(orders: Probe) -> None:
    """MissingParameter alone, InvalidParameterValue for the whole of a batch."""
    alone = orders.refused("SendMessage", MessageBody="x", MessageDeduplicationId="d")
    assert (alone.code, alone.message) == ("MissingParameter", "The request must contain the parameter MessageGroupId.")
    good = {"Id": "1", "MessageBody": "x", "MessageGroupId": "g", "MessageDeduplicationId": "1"}
    bad = {"Id": "2", "MessageBody": "x", "MessageDeduplicationId": "2"}
    batch = orders.refused("SendMessageBatch", Entries=[good, bad])
    assert (batch.code, batch.message) == ("InvalidParameterValue", alone.message)
    assert orders.counts() == (0, 0, 0)


@pytest.mark.parametrize("name", ["MessageGroupId", "MessageDeduplicationId"])
@pytest.mark.parametrize("value", ["", "a b", "é", "x" * 129])
def test_FF_2_FF_3_ids_have_up_to_128_characters(orders: Probe, name: str, value: str) -> None:
    """Letters, digits and punctuation."""
    given = {"MessageGroupId": "g", "MessageDeduplicationId": "d"} | {name: value}
    assert orders.refused("SendMessage", MessageBody="x", **given).status == 400
    orders.send(MessageGroupId="!" * 128, MessageDeduplicationId="~aZ9" * 32)


def test_FF_3_a_deduplication_id_is_required_or_made_of_the_content(sqs: Sqs, orders: Probe) -> None:
    """An explicit id wins over the content."""
    refusal = orders.refused("SendMessage", MessageBody="x", MessageGroupId="g")
    assert (refusal.code, refusal.message) == (
        "InvalidParameterValue",
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
    )
    entry = {"Id": "1", "MessageBody": "x", "MessageGroupId": "g"}
    assert orders.refused("SendMessageBatch", Entries=[entry]).code == "InvalidParameterValue"
    by_content = queue(sqs, "content.fifo", ContentBasedDeduplication="true")
    by_content.send("same", MessageGroupId="g", MessageDeduplicationId="1")
    by_content.send("same", MessageGroupId="g", MessageDeduplicationId="2")
    by_content.send("same", MessageGroupId="g")
    assert by_content.counts() == (3, 0, 0)


def test_FF_4_content_is_the_body_alone(sqs: Sqs) -> None:
    """Its SHA-256; attributes do not count."""
    orders = queue(sqs, "content.fifo", ContentBasedDeduplication="true")
    for value in ("1", "2"):
        attributes = {"a": {"DataType": "String", "StringValue": value}}
        orders.send("same", MessageGroupId="g", MessageAttributes=attributes)
    expected = "0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5"
    (message,) = orders.receive()
    assert message.attributes["MessageDeduplicationId"] == expected


def test_FF_5_an_id_is_remembered_for_five_minutes(orders: Probe) -> None:
    """From the accepted send on, though the message was received and deleted."""
    orders.put("a")
    orders.delete(orders.one())
    orders.advance(299)
    orders.put("a")
    assert orders.counts() == (0, 0, 0)
    orders.advance(1)
    orders.put("a")
    assert orders.counts() == (1, 0, 0)


def test_FF_6_a_repeated_send_succeeds(orders: Probe) -> None:
    """Nothing is enqueued; the reply (presumably) carries the first one's id and sequence number."""
    first, second = orders.put("a"), orders.put("a", "other")
    assert second == first
    assert orders.counts() == (1, 0, 0)
    entry = {"Id": "1", "MessageBody": "a", "MessageGroupId": "g", "MessageDeduplicationId": "a"}
    (result,) = map(entries, listed(orders.call("SendMessageBatch", Entries=[entry]), "Successful"))
    assert result["MessageId"] == first["MessageId"]


def test_FF_7_the_scope_is_the_queue_or_the_group(sqs: Sqs, orders: Probe) -> None:
    """By default the same id in another group is dropped too."""
    orders.put("a", "g1")
    orders.put("a", "g2")
    assert orders.counts() == (1, 0, 0)
    by_group = queue(sqs, "by-group.fifo", DeduplicationScope="messageGroup")
    for group in ("g1", "g2", "g1"):
        by_group.put("a", group)
    assert by_group.counts() == (2, 0, 0)
    assert orders.refused("SetQueueAttributes", Attributes={"DeduplicationScope": "x"}).code == "InvalidAttributeValue"


@pytest.mark.parametrize(("made", "changed", "kept"), [("queue", "messageGroup", 1), ("messageGroup", "queue", 2)])
def test_FF_7_the_scope_that_a_queue_was_made_with_stays_in_force(sqs: Sqs, made: str, changed: str, kept: int) -> None:
    """Recorded in 2025-08: SQS takes a change, shows it, and compares ids as before."""
    orders = queue(sqs, "changed.fifo", DeduplicationScope=made)
    orders.call("SetQueueAttributes", Attributes={"DeduplicationScope": changed})
    shown = entries(orders.call("GetQueueAttributes", AttributeNames=["DeduplicationScope"])["Attributes"])
    assert shown == {"DeduplicationScope": changed}
    for group in ("g1", "g2"):
        orders.put("a", group)
    assert orders.counts() == (kept, 0, 0)


def test_FF_8_the_limit_per_group_needs_that_scope(orders: Probe) -> None:
    """Otherwise InvalidAttributeValue."""
    given = {"FifoThroughputLimit": "perMessageGroupId"}
    refusal = orders.refused("SetQueueAttributes", Attributes=given)
    assert refusal.code == "InvalidAttributeValue"
    assert refusal.message == (
        "Invalid value for the parameter FifoThroughputLimit. Reason: To set FifoThroughputLimit to perMessageGroupId, "
        "the DeduplicationScope must be messageGroup."
    )
    orders.call("SetQueueAttributes", Attributes={**given, "DeduplicationScope": "messageGroup"})


def test_FF_9_FF_11_300_calls_a_second_where_limits_are_asked_for() -> None:
    """For each action apart; the error is RequestThrottled."""
    orders = queue(Sqs(Accounts(fifo_limits=True)), "orders.fifo")
    for number in range(300):
        orders.put(str(number))
    refusal = orders.refused("SendMessage", MessageBody="x", MessageGroupId="g", MessageDeduplicationId="x")
    assert (refusal.code, refusal.status) == ("RequestThrottled", 403)
    assert orders.bodies(1) == ["0"]
    orders.advance(1)
    orders.put("x")


def test_FF_9_no_limits_by_default(orders: Probe) -> None:
    """Nor on standard queues."""
    for number in range(400):
        orders.put(str(number))


@pytest.mark.parametrize(("region", "limit"), [("us-east-1", 70_000), ("eu-west-2", 4_500), ("eu-south-1", 2_400)])
def test_FF_10_high_throughput_depends_on_the_region(region: str, limit: int) -> None:
    """With `perMessageGroupId`."""
    from chaosqs.model.design import Queue
    from chaosqs.sqs.machines import throughput

    high = Queue("q.fifo", deduplication_scope="messageGroup", fifo_throughput_limit="perMessageGroupId")
    assert throughput.limit(high, region) == limit
    assert throughput.limit(Queue("q.fifo"), region) == 300


def test_FF_12_sequence_numbers_grow(orders: Probe) -> None:
    """20 digits, larger with each message, not consecutive."""
    numbers = [str(orders.put(str(number))["SequenceNumber"]) for number in range(10)]
    assert all(len(number) == 20 and number.isdigit() for number in numbers)
    assert sorted(numbers) == numbers
    assert int(numbers[1]) - int(numbers[0]) > 1
    assert [message.attributes["SequenceNumber"] for message in orders.receive()] == numbers


def test_FF_13_a_receive_fills_up_from_one_group_first(orders: Probe) -> None:
    """Recorded: g1a, g1b, g1c, g2a."""
    fill(orders, "g1a", "g2a", "g1b", "g1c")
    assert orders.bodies() == ["g1a", "g1b", "g1c", "g2a"]


def test_FF_14_a_group_in_flight_is_blocked(orders: Probe) -> None:
    """Other groups go on."""
    fill(orders, "g1a", "g1b", "g2a")
    assert [orders.bodies(1), orders.bodies(1), orders.bodies(1)] == [["g1a"], ["g2a"], []]


def test_FF_15_FF_16_it_goes_on_when_the_last_one_is_deleted(orders: Probe) -> None:
    """Not before."""
    fill(orders, "g1a", "g1b", "g1c")
    first, second = orders.receive(2)
    orders.delete(first)
    assert orders.bodies() == []
    orders.delete(second)
    assert orders.bodies() == ["g1c"]


def test_FF_15_deleted_out_of_order(orders: Probe) -> None:
    """The second one first: the first still blocks."""
    fill(orders, "g1a", "g1b", "g1c")
    first, second = orders.receive(2)
    orders.delete(second)
    assert orders.bodies() == []
    orders.delete(first)
    assert orders.bodies() == ["g1c"]


def test_FF_17_what_expires_comes_again_in_its_place(orders: Probe) -> None:
    """In order, before later ones of its group."""
    fill(orders, "g1a", "g1b", "g1c")
    orders.receive(2)
    orders.advance(30)
    assert orders.bodies() == ["g1a", "g1b", "g1c"]


def test_FF_18_mixed_timeouts(orders: Probe) -> None:
    """Only what stands before the first hidden one is receivable."""
    fill(orders, "g1a", "g1b", "g1c")
    first, second, _ = orders.receive()
    orders.hide(first, 0)
    assert orders.bodies() == ["g1a"]
    orders.hide(second, 100)
    orders.advance(30)
    assert orders.bodies() == ["g1a"]
    orders.advance(70)
    assert orders.bodies() == ["g1a", "g1b", "g1c"]


def test_FF_19_a_failing_message_blocks_its_group_until_it_is_gone(sqs: Sqs) -> None:
    """By retention here; deletion and dead-lettering are FF-16 and DLQ-14."""
    orders = queue(sqs, "orders.fifo", MessageRetentionPeriod=100, VisibilityTimeout=0)
    fill(orders, "g1a")
    orders.advance(50)
    fill(orders, "g1b")
    for _ in range(5):
        assert orders.bodies(1) == ["g1a"]
    orders.advance(50)
    assert orders.bodies() == ["g1b"]


def attempt(orders: Probe, name: str, most: int = 10) -> list[Got]:
    return orders.receive(most, ReceiveRequestAttemptId=name)


def test_FF_20_a_repeated_attempt_gets_the_same_messages_and_handles(orders: Probe) -> None:
    """Their visibility starts again."""
    fill(orders, "g1a", "g1b", "g2a")
    first = attempt(orders, "x", 2)
    orders.advance(20)
    again = attempt(orders, "x", 2)
    assert [(got.body, got.handle, got.count) for got in again] == [(got.body, got.handle, 1) for got in first]
    orders.advance(20)
    assert orders.bodies() == ["g2a"]
    orders.advance(10)
    assert orders.bodies() == ["g1a", "g1b"]


@pytest.mark.parametrize("change", ["delete", "hide", "expire", "forget"])
def test_FF_20_only_while_nothing_was_deleted_or_changed(orders: Probe, change: str) -> None:
    """And for five minutes; afterwards it is a new receive."""
    fill(orders, "g1a", "g2a")
    (first,) = attempt(orders, "x", 1)
    match change:
        case "delete":
            orders.delete(first)
        case "hide":
            orders.hide(first, 100)
        case "expire":
            orders.advance(30)
        case _:
            orders.hide(first, 1000)
            orders.advance(301)
    assert [got.body for got in attempt(orders, "x", 1)] == ["g2a"]


def test_FF_20_ids_of_attempts(sqs: Sqs, orders: Probe) -> None:
    """Up to 128 characters, on FIFO queues only; an empty attempt is not remembered."""
    orders.refused("ReceiveMessage", ReceiveRequestAttemptId="x" * 129)
    queue(sqs).refused("ReceiveMessage", ReceiveRequestAttemptId="x")
    assert attempt(orders, "x") == []
    fill(orders, "g1a")
    assert len(attempt(orders, "x")) == 1
    orders.advance(200)
    assert len(attempt(orders, "x")) == 1
    orders.hide(attempt(orders, "x")[0], 1)
    orders.advance(250)
    assert len(attempt(orders, "y")) == 1


def test_FF_21_delay_is_the_queues(sqs: Sqs) -> None:
    """Every message of it waits."""
    orders = queue(sqs, "orders.fifo", DelaySeconds=5)
    fill(orders, "g1a")
    assert (orders.bodies(), orders.counts()) == ([], (0, 0, 1))
    orders.advance(5)
    assert orders.bodies() == ["g1a"]


def test_FF_22_a_late_delete_is_an_error(orders: Probe) -> None:
    """After somebody else received it as well (RH-5)."""
    fill(orders, "g1a")
    late = orders.one()
    orders.advance(30)
    orders.one()
    assert "expired" in orders.refused("DeleteMessage", ReceiptHandle=late.handle).message


def test_FF_23_a_receive_with_no_visibility(orders: Probe) -> None:
    """Receivable again at once and in order, but behind other waiting groups."""
    fill(orders, "g1a", "g1b", "g2a")
    assert orders.bodies(2, VisibilityTimeout=0) == ["g1a", "g1b"]
    assert orders.bodies(3) == ["g2a", "g1a", "g1b"]


@pytest.mark.parametrize("unhindered", [False, True])
def test_FF_24_a_delayed_message_blocks_its_group(sqs: Sqs, unhindered: bool) -> None:  # noqa: FBT001 - a table
    """Assumed, as order is kept: what was sent with the longer delay comes first."""
    orders = queue(sqs, "orders.fifo", DelaySeconds=20)
    fill(orders, "g1a")
    orders.advance(19 if not unhindered else 20)
    fill(orders, "g1b")
    assert orders.bodies() == (["g1a"] if unhindered else [])


def test_FF_25_order_between_groups(orders: Probe) -> None:
    """A group that came back by visibility is behind those never served; one that went on by a delete is not."""
    fill(orders, "g1a", "g2a", "g1b", "g3a")
    first = orders.one()
    orders.hide(first, 0)
    assert orders.bodies(1) == ["g2a"]
    fill(orders, "g4a")
    assert orders.bodies(1) == ["g3a"]
    assert [got.body for got in orders.receive(2)] == ["g1a", "g1b"]


def test_FF_25_a_delete_does_not_send_a_group_to_the_back(orders: Probe) -> None:
    """Its next message was sent before the other group's."""
    fill(orders, "g1a", "g1b", "g2a")
    orders.delete(orders.one())
    assert orders.bodies(1) == ["g1b"]


def test_FF_26_blocked_messages_count_as_visible(orders: Probe) -> None:
    """6 messages in 3 groups, one received from each of two: 4 visible, 2 not."""
    fill(orders, "g1a", "g1b", "g2a", "g2b", "g3a", "g3b")
    orders.one()
    orders.one()
    assert orders.counts() == (4, 2, 0)

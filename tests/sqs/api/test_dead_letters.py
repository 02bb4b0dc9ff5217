"""Ledger, chapter 4: dead-letter queues."""

from __future__ import annotations

import json

import attrs
import pytest

from chaosqs.model.assumptions import Assumptions
from chaosqs.sqs.api.region import Accounts
from chaosqs.sqs.api.sqs import Sqs
from tests.sqs.api.probe import Probe, listed, queue, with_dead_letters

DAY = 86_400


def policy(target: Probe, count: object) -> dict[str, str]:
    return {"RedrivePolicy": json.dumps({"deadLetterTargetArn": target.arn, "maxReceiveCount": count})}


@pytest.mark.parametrize("count", [0, 1001, -1, "00", "x", 1.5, True, None])
def test_DLQ_1_max_receive_count_is_1_to_1000(sqs: Sqs, count: object) -> None:
    """Given as a number or as digits, shown as a number."""
    orders, dead = queue(sqs), queue(sqs, "dead")
    for good in (1, 1000, "7"):
        orders.call("SetQueueAttributes", Attributes=policy(dead, good))
        shown: dict[str, object] = json.loads(orders.attribute("RedrivePolicy"))
        assert shown == {"deadLetterTargetArn": dead.arn, "maxReceiveCount": int(good)}
    refusal = orders.refused("SetQueueAttributes", Attributes=policy(dead, count))
    assert refusal.code == "InvalidParameterValue"
    assert "valid values are from 1 to 1000 both inclusive" in refusal.message


@pytest.mark.parametrize(
    "given",
    [
        "x",
        "[]",
        '{"maxReceiveCount": 1}',
        '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead"}',
        '{"deadLetterTargetArn": "dummy", "maxReceiveCount": 42}',
        '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:nope", "maxReceiveCount": 42}',
        '{"deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": 42, "more": 1}',
    ],
)
def test_DLQ_1_other_policies_are_refused(sqs: Sqs, given: str) -> None:
    """InvalidParameterValue, with the policy as it was given."""
    queue(sqs, "dead")
    refusal = queue(sqs).refused("SetQueueAttributes", Attributes={"RedrivePolicy": given})
    assert refusal.code == "InvalidParameterValue"
    assert refusal.message.startswith(f"Value {given} for parameter RedrivePolicy is invalid. Reason: ")


def test_DLQ_1_an_empty_policy_ends_it(sqs: Sqs) -> None:
    """Afterwards messages are tried until their retention ends."""
    orders, dead = with_dead_letters(sqs, 1, VisibilityTimeout=0)
    orders.call("SetQueueAttributes", Attributes={"RedrivePolicy": ""})
    orders.send()
    assert [orders.one().count for _ in range(3)] == [1, 2, 3]
    assert dead.counts() == (0, 0, 0)


@pytest.mark.parametrize("most", [1, 3])
def test_DLQ_2_DLQ_3_the_receive_after_the_last_one_moves(sqs: Sqs, most: int) -> None:
    """Consumers get exactly max_receive_count deliveries."""
    orders, dead = with_dead_letters(sqs, most, VisibilityTimeout=0)
    orders.send()
    assert [orders.one().count for _ in range(most)] == list(range(1, most + 1))
    assert dead.counts() == (0, 0, 0)
    assert orders.receive() == []
    assert dead.counts() == (1, 0, 0)


def test_DLQ_3_the_receive_goes_on_with_other_messages(sqs: Sqs) -> None:
    """What is moved does not use up the receive."""
    orders, dead = with_dead_letters(sqs, 1, VisibilityTimeout=0)
    orders.send("old")
    orders.one()
    orders.send("new")
    assert orders.bodies(1) == ["new"]
    assert dead.bodies() == ["old"]


def test_DLQ_4_without_a_receive_nothing_moves(sqs: Sqs) -> None:
    """The message stays in the source, and may end there by its retention."""
    orders, dead = with_dead_letters(sqs, 1)
    orders.send()
    orders.one()
    orders.advance(3 * DAY)
    assert orders.counts() == (1, 0, 0)
    orders.advance(DAY)
    assert (orders.counts(), dead.counts()) == ((0, 0, 0), (0, 0, 0))


def test_DLQ_5_any_receive_that_would_select_it_moves_it(sqs: Sqs) -> None:
    """A long poll as well; a receive that does not get that far does not."""
    orders, dead = with_dead_letters(sqs, 1)
    orders.send("a")
    orders.send("b")
    orders.one()
    orders.advance(30)
    assert orders.bodies(1, WaitTimeSeconds=5) == ["b"]
    assert dead.counts() == (1, 0, 0)


def test_DLQ_6_the_attempt_that_moves_does_not_count(sqs: Sqs) -> None:
    """One receive of the source, so the first of the dead-letter queue is the second."""
    orders, dead = with_dead_letters(sqs, 1, VisibilityTimeout=0)
    orders.send()
    orders.one()
    orders.receive()
    assert dead.one().count == 2


@pytest.mark.parametrize("last", ["", ".fifo"])
@pytest.mark.parametrize(("waits", "hidden"), [(1, 20_000), (0, 0)])
def test_DL_7_a_moved_message_waits_or_comes_at_once(sqs: Sqs, last: str, waits: int, hidden: int) -> None:
    """The delay of the dead-letter queue, at both ends of the assumption; a message that is sent there always waits."""
    sqs = Sqs(Accounts(attrs.evolve(sqs.accounts.context, assumptions=Assumptions(moved_messages_wait=waits))))
    dead = queue(sqs, f"dead{last}", DelaySeconds="20")
    orders = queue(sqs, f"orders{last}", VisibilityTimeout="0", **policy(dead, 1))
    group = {"MessageGroupId": "g", "MessageDeduplicationId": "d"} if last else {}
    orders.send("bad", **group)
    assert len(orders.receive()) == 1
    assert orders.receive() == []
    since = sqs.now
    dead.send("sent", **{key: f"{value}2" for key, value in group.items()})
    visible: dict[str, int] = {}
    while len(visible) < 2:
        visible |= {got.body: sqs.now - since for got in dead.receive() if got.body not in visible}
        sqs.advance(5_000)
    assert visible == {"bad": hidden, "sent": 20_000}


def test_DLQ_7_DLQ_8_what_is_kept_and_what_is_added(sqs: Sqs) -> None:
    """Id, body, attributes and trace header stay; the source's ARN comes with it; SentTimestamp stays (standard)."""
    orders, dead = with_dead_letters(sqs, 1, VisibilityTimeout=0)
    attributes = {"a": {"DataType": "String", "StringValue": "v"}}
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}}
    sent = orders.send("body", MessageAttributes=attributes, MessageSystemAttributes=trace)
    first = orders.one()
    orders.advance(1)
    orders.receive()
    moved = dead.one(MessageAttributeNames=["All"])
    assert (moved.message_id, moved.body) == (sent["MessageId"], "body")
    assert moved.shown["MessageAttributes"] == attributes
    assert moved.attributes["AWSTraceHeader"] == "Root=1"
    assert moved.attributes["SentTimestamp"] == first.attributes["SentTimestamp"]
    assert moved.attributes["DeadLetterQueueSourceArn"] == orders.arn
    assert "DeadLetterQueueSourceArn" not in first.attributes


@pytest.mark.parametrize(("fifo", "days"), [(False, 3), (True, 4)])
def test_DLQ_9_DLQ_10_the_retention_clock(sqs: Sqs, fifo: bool, days: int) -> None:  # noqa: FBT001 - a table
    """A day in the source: a standard queue's clock goes on, a FIFO queue's starts anew."""
    orders, dead = with_dead_letters(sqs, 1, fifo=fifo, VisibilityTimeout=0)
    (orders.put if fifo else orders.send)("a")
    orders.one()
    orders.advance(DAY)
    orders.receive()
    orders.advance(days * DAY - 1)
    assert dead.counts() == (1, 0, 0)
    orders.advance(1)
    assert dead.counts() == (0, 0, 0)


def test_DLQ_12_both_are_of_one_type(sqs: Sqs) -> None:
    """Standard to standard, FIFO to FIFO."""
    orders, fifo = queue(sqs), queue(sqs, "orders.fifo")
    for source, target in ((orders, fifo), (fifo, orders)):
        assert source.refused("SetQueueAttributes", Attributes=policy(target, 1)).code == "InvalidParameterValue"


@pytest.mark.parametrize("index", ["eu-west-1:123456789012", "us-east-1:210987654321"])
def test_DLQ_13_both_are_of_one_account_and_region(sqs: Sqs, index: str) -> None:
    """The newer documentation says must."""
    region, account = index.split(":")
    sqs.call("CreateQueue", {"QueueName": "dead"}, region=region, account=account)
    given = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": f"arn:aws:sqs:{index}:dead", "maxReceiveCount": 1})}
    assert queue(sqs).refused("SetQueueAttributes", Attributes=given).code == "InvalidParameterValue"


def test_DLQ_14_a_move_lets_the_group_go_on(sqs: Sqs) -> None:
    """Max 2, failed twice: the third receive moves it, and the next message of the group comes."""
    orders, dead = with_dead_letters(sqs, 2, fifo=True, VisibilityTimeout=0)
    orders.put("m1")
    orders.put("m2")
    assert [orders.bodies(1), orders.bodies(1)] == [["m1"], ["m1"]]
    assert orders.bodies() == ["m2"]
    assert dead.bodies() == ["m1"]


def test_DLQ_15_the_message_id_replaces_the_deduplication_id(sqs: Sqs) -> None:
    """In a FIFO dead-letter queue."""
    orders, dead = with_dead_letters(sqs, 1, fifo=True, VisibilityTimeout=0)
    orders.put("m1")
    first = orders.one()
    orders.receive()
    assert first.attributes["MessageDeduplicationId"] == "m1"
    assert dead.one().attributes["MessageDeduplicationId"] == first.message_id


def test_DLQ_17_the_dead_letter_queue_may_choose_its_sources(sqs: Sqs) -> None:
    """All by default, none, or up to ten by name."""
    orders, other, dead = queue(sqs), queue(sqs, "other"), queue(sqs, "dead")

    def allow(**fields: object) -> None:
        dead.call("SetQueueAttributes", Attributes={"RedriveAllowPolicy": json.dumps(fields)})

    allow(redrivePermission="denyAll")
    orders.refused("SetQueueAttributes", Attributes=policy(dead, 1))
    allow(redrivePermission="byQueue", sourceQueueArns=[orders.arn])
    orders.call("SetQueueAttributes", Attributes=policy(dead, 1))
    other.refused("SetQueueAttributes", Attributes=policy(dead, 1))
    allow(redrivePermission="allowAll")
    other.call("SetQueueAttributes", Attributes=policy(dead, 1))
    for bad in (
        "x",
        "{}",
        '{"redrivePermission": "some"}',
        '{"redrivePermission": "byQueue"}',
        '{"redrivePermission": "byQueue", "sourceQueueArns": ["x"]}',
        json.dumps({"redrivePermission": "allowAll", "sourceQueueArns": [orders.arn]}),
        json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [orders.arn] * 11}),
    ):
        refusal = dead.refused("SetQueueAttributes", Attributes={"RedriveAllowPolicy": bad})
        assert refusal.code == "InvalidParameterValue"


def test_DLQ_18_the_count_is_the_messages_not_a_consumers(sqs: Sqs) -> None:
    """Two consumers share it."""
    orders, dead = with_dead_letters(sqs, 2, VisibilityTimeout=0)
    orders.send()
    orders.one()
    sqs.call("ReceiveMessage", {"QueueUrl": orders.url}, account="210987654321")
    assert orders.receive() == []
    assert dead.counts() == (1, 0, 0)


def test_DLQ_20_a_chain_compares_the_deliveries_of_each_queue(sqs: Sqs) -> None:
    """Assumed: the second policy counts its own queue's, the attribute shows all."""
    last = queue(sqs, "last")
    middle = queue(sqs, "middle", VisibilityTimeout=0, **policy(last, 1))
    first = queue(sqs, "first", VisibilityTimeout=0, **policy(middle, 2))
    first.send()
    assert [first.one().count, first.one().count] == [1, 2]
    assert first.receive() == []
    assert middle.one().count == 3
    assert middle.receive() == []
    assert last.one().count == 4


def test_sources_are_listed(sqs: Sqs) -> None:
    """By the queues that have this one in their policy; an empty list where there is none."""
    orders, dead = with_dead_letters(sqs, 1)
    assert dead.call("ListDeadLetterSourceQueues") == {"queueUrls": [orders.url]}
    assert orders.call("ListDeadLetterSourceQueues") == {"queueUrls": []}
    assert listed(dead.call("ListDeadLetterSourceQueues", MaxResults=1), "queueUrls") == [orders.url]


def test_a_policy_without_its_queue_has_no_effect(sqs: Sqs) -> None:
    """Assumed: messages go on being delivered, until the dead-letter queue is there again."""
    orders, dead = with_dead_letters(sqs, 1, VisibilityTimeout=0)
    dead.call("DeleteQueue")
    orders.send()
    assert [orders.one().count, orders.one().count] == [1, 2]
    orders.advance(60)
    again = queue(sqs, "dead")
    assert orders.receive() == []
    assert again.one().count == 3

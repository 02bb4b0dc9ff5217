"""The golden scenarios of standard queues, through a real client (ledger, chapter 13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from chaosqs.mock_aws.aws import MockAws
from tests.conformance.conftest import EXACT
from tests.conformance.queue_under_test import create, refusal

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


def test_G_04_an_expired_handle_still_deletes_where_nobody_received_again(world: MockAws, sqs: SQSClient) -> None:
    """RH-3."""
    queue = create(sqs, "orders")
    queue.send("one")
    message = queue.one()
    world.advance(31)
    queue.delete(message)
    assert queue.counters() == (0, 0, 0)
    assert queue.receive() == []


def test_G_06_visibility_zero_makes_a_message_receivable_at_once(sqs: SQSClient) -> None:
    """VT-10."""
    queue = create(sqs, "orders")
    queue.send("one")
    queue.hide(queue.one(), 0)
    assert queue.one().count == "2"


@EXACT
def test_G_07_a_new_visibility_timeout_counts_from_the_call(world: MockAws, sqs: SQSClient) -> None:
    """VT-6."""
    queue = create(sqs, "orders", {"VisibilityTimeout": "60"})
    queue.send("one")
    message = queue.one()
    world.advance(15)
    queue.hide(message, 10)
    world.advance(9.999)
    assert queue.receive() == []
    world.advance(0.001)
    assert queue.bodies() == ["one"]


def test_G_08_twelve_hours_after_the_receive_are_refused(world: MockAws, sqs: SQSClient) -> None:
    """VT-9."""
    queue = create(sqs, "orders")
    queue.send("one")
    message = queue.one()
    world.advance(5)
    with pytest.raises(sqs.exceptions.ClientError, match="beyond the limit") as caught:
        queue.hide(message, 43_200)
    assert refusal(caught) == ("InvalidParameterValue", 400)
    world.advance(25)
    assert queue.bodies() == ["one"]


@EXACT
def test_G_09_a_changed_visibility_is_not_remembered(world: MockAws, sqs: SQSClient) -> None:
    """VT-7."""
    queue = create(sqs, "orders")
    queue.send("one")
    queue.hide(queue.one(), 100)
    world.advance(100)
    assert queue.one().count == "2"
    world.advance(29.999)
    assert queue.receive() == []
    world.advance(0.001)
    assert queue.one().count == "3"


def test_G_10_a_message_can_be_deleted_twice(sqs: SQSClient) -> None:
    """RH-7."""
    queue = create(sqs, "orders")
    queue.send("one")
    message = queue.one()
    queue.delete(message)
    queue.delete(message)
    assert queue.counters() == (0, 0, 0)


def test_G_11_what_is_in_flight_when_its_retention_ends_never_comes_back(world: MockAws, sqs: SQSClient) -> None:
    """RT-2."""
    queue = create(sqs, "orders", {"MessageRetentionPeriod": "60", "VisibilityTimeout": "90"})
    queue.send("one")
    message = queue.one()
    world.advance(61)
    assert queue.counters() == (0, 0, 0)
    world.advance(60)
    assert queue.receive() == []
    queue.delete(message)


def test_G_19_eleven_entries_are_refused_as_a_whole(sqs: SQSClient) -> None:
    """BT-1."""
    queue = create(sqs, "orders")
    with pytest.raises(sqs.exceptions.TooManyEntriesInBatchRequest, match="11") as caught:
        sqs.send_message_batch(
            QueueUrl=queue.url, Entries=[{"Id": str(index), "MessageBody": "x"} for index in range(11)]
        )
    assert refusal(caught) == ("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", 400)
    assert queue.counters() == (0, 0, 0)


def test_G_20_one_bad_entry_fails_alone(sqs: SQSClient) -> None:
    """BT-3."""
    queue = create(sqs, "orders", {"MaximumMessageSize": "1024"})
    entries = [("good", "x"), ("characters", "\x00"), ("size", "x" * 1025)]
    answer = sqs.send_message_batch(
        QueueUrl=queue.url, Entries=[{"Id": name, "MessageBody": body} for name, body in entries]
    )
    assert [entry["Id"] for entry in answer["Successful"]] == ["good"]
    assert [(entry["Id"], entry["Code"], entry["SenderFault"]) for entry in answer["Failed"]] == [
        ("characters", "InvalidMessageContents", True),
        ("size", "InvalidParameterValue", True),
    ]
    assert queue.bodies() == ["x"]


def test_G_35_a_quiet_tenant_comes_before_a_noisy_one(sqs: SQSClient) -> None:
    """FQ-5, FQ-6."""
    queue = create(sqs, "orders")
    for index in range(220):
        queue.send(f"a{index}", group="a")
    received = [body for _ in range(20) for body in queue.bodies()]
    assert len(received) == 200
    for index in range(3):
        queue.send(f"b{index}", group="b")
    assert queue.bodies(3) == ["b0", "b1", "b2"]
    assert queue.bodies(1) == ["a200"]


def test_G_36_an_old_handle_still_changes_the_visibility(sqs: SQSClient) -> None:
    """VT-14."""
    queue = create(sqs, "orders")
    queue.send("one")
    old = queue.one(visibility=0)
    queue.one(visibility=3)
    assert queue.receive() == []
    queue.hide(old, 0)
    assert queue.one().count == "3"

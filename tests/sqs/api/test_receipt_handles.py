"""Ledger, chapter 1: receipt handles and deletion."""

from __future__ import annotations

import pytest

from chaosqs.model.design import Queue
from chaosqs.sqs.api.sqs import Sqs
from chaosqs.sqs.machines.message import Message, Receipt
from chaosqs.sqs.machines.queue_machine import Outcome
from chaosqs.sqs.machines.standard_queue import StandardQueue
from tests.sqs.api.probe import queue


def test_RH_1_each_receive_gives_a_new_handle(sqs: Sqs) -> None:
    """Up to 1,024 characters, looking like AWS's; message ids have up to 100, and stay."""
    orders = queue(sqs)
    orders.send()
    first, second = orders.one(VisibilityTimeout=0), orders.one()
    assert first.handle != second.handle
    assert first.message_id == second.message_id
    assert len(first.handle) <= 1024
    assert first.handle.startswith("AQEB")
    assert len(first.message_id) == 36


def test_RH_1_other_messages_have_other_ids(sqs: Sqs) -> None:
    """Ids and handles come from counters, so two worlds give the same ones."""
    one, other = queue(sqs), queue(Sqs())
    ids = [str(one.send()["MessageId"]) for _ in range(1000)]
    assert len(set(ids)) == 1000
    assert ids == [other.send()["MessageId"] for _ in range(1000)]


def test_RH_2_RH_4_an_old_handle_deletes_nothing_after_a_new_receive(sqs: Sqs) -> None:
    """The request succeeds, the message stays: AWS promises no more (by default here: never deleted)."""
    orders = queue(sqs)
    orders.send()
    first = orders.one()
    orders.advance(30)
    second = orders.one()
    orders.delete(first)
    assert orders.counts() == (0, 1, 0)
    orders.delete(second)
    assert orders.counts() == (0, 0, 0)


def test_RH_4_may_be_assumed_the_other_way() -> None:
    """AWS leaves it open, so a machine can be told that old handles do delete."""
    machine = StandardQueue(Queue("q", visibility_timeout=0), old_receipts_delete=True)
    machine.accept(Message(0, 1, 0), now=0)
    ((first,), _) = machine.receive(1, now=0)
    machine.settle(now=0)
    machine.receive(1, now=0)
    assert machine.delete(first) is Outcome.DONE


def test_RH_3_an_expired_handle_deletes_while_nobody_received_again(sqs: Sqs) -> None:
    """On standard queues."""
    orders = queue(sqs)
    orders.send()
    message = orders.one()
    orders.advance(31)
    orders.delete(message)
    assert orders.receive() == []


def test_RH_5_a_late_delete_on_a_fifo_queue_is_refused(sqs: Sqs) -> None:
    """The handle has expired, and the message is delivered again."""
    orders = queue(sqs, "orders.fifo")
    orders.put("a")
    message = orders.one()
    orders.advance(30)
    refusal = orders.refused("DeleteMessage", ReceiptHandle=message.handle)
    assert refusal.code == "InvalidParameterValue"
    assert refusal.message == (
        f"Value {message.handle} for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
    )
    assert orders.one().count == 2


def test_RH_6_an_extension_keeps_a_fifo_handle_alive(sqs: Sqs) -> None:
    """Past the first deadline, within the second."""
    orders = queue(sqs, "orders.fifo")
    orders.put("a")
    message = orders.one()
    orders.advance(20)
    orders.hide(message, 30)
    orders.advance(29)
    orders.delete(message)
    assert orders.counts() == (0, 0, 0)


def test_RH_7_deleting_twice_succeeds(sqs: Sqs) -> None:
    """So does a delete through another handle of the same message."""
    orders = queue(sqs)
    orders.send()
    first = orders.one(VisibilityTimeout=0)
    second = orders.one()
    orders.delete(second)
    orders.delete(second)
    orders.delete(first)
    assert orders.counts() == (0, 0, 0)


def test_RH_8_whoever_has_the_handle_may_delete(sqs: Sqs) -> None:
    """Also while the message is in flight."""
    orders = queue(sqs)
    orders.send()
    orders.delete(orders.one())
    assert orders.counts() == (0, 0, 0)


@pytest.mark.parametrize(
    "handle", ["garbage", "AQEB", "AQEBgarbage", "AQEB" + "A" * 256, "AQEB" + "é" * 256, "x" * 2000]
)
@pytest.mark.parametrize("operation", ["DeleteMessage", "ChangeMessageVisibility"])
def test_RH_9_garbage_is_recognised(sqs: Sqs, operation: str, handle: str) -> None:
    """ReceiptHandleIsInvalid, naming the handle."""
    orders = queue(sqs)
    refusal = orders.refused(operation, ReceiptHandle=handle, VisibilityTimeout=1)
    assert (refusal.code, refusal.status) == ("ReceiptHandleIsInvalid", 404)
    assert handle in refusal.message


def test_RH_9_a_handle_of_another_queue_is_as_bad(sqs: Sqs) -> None:
    """Also one of a queue of this name that was deleted."""
    orders, other = queue(sqs), queue(sqs, "other")
    orders.send()
    handle = orders.one().handle
    assert other.refused("DeleteMessage", ReceiptHandle=handle).code == "ReceiptHandleIsInvalid"
    orders.call("DeleteQueue")
    orders.advance(60)
    assert queue(sqs).refused("DeleteMessage", ReceiptHandle=handle).code == "ReceiptHandleIsInvalid"


def test_RH_10_a_deleted_message_can_reappear() -> None:
    """A replica that did not hear of the delete shows it again: an input of the machine, never by itself."""
    machine = StandardQueue(Queue("q"))
    message = Message(0, 1, 0)
    machine.accept(message, now=0)
    ((receipt,), _) = machine.receive(1, now=0)
    machine.delete(receipt)
    assert machine.reappear(message, now=5)
    ((again,), _) = machine.receive(1, now=5)
    assert (again.message.number, again.message.receive_count) == (0, 2)
    assert machine.delete(Receipt(message, receipt.number)) is Outcome.STAYED
    assert machine.delete(again) is Outcome.DONE


def test_RH_10_what_is_past_its_retention_does_not_reappear() -> None:
    """And what is visible has no need to."""
    machine = StandardQueue(Queue("q", retention_period=60))
    message = Message(0, 1, 0)
    machine.accept(message, now=0)
    assert not machine.reappear(message, now=0)
    machine.expire(now=60_000)
    assert not machine.reappear(message, now=60_000)

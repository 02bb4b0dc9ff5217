"""Ledger, chapter 1: visibility timeout."""

from __future__ import annotations

import pytest

from chaosqs.sqs.api.sqs import Sqs
from tests.sqs.api.probe import queue, with_dead_letters


@pytest.mark.parametrize("seconds", ["0", "30", "43200"])
def test_VT_1_the_queues_timeout_is_0_to_12_hours(sqs: Sqs, seconds: str) -> None:
    """Both ends of the range are valid, and 30 seconds is the default."""
    assert queue(sqs, "plain").attribute("VisibilityTimeout") == "30"
    assert queue(sqs, VisibilityTimeout=seconds).attribute("VisibilityTimeout") == seconds


@pytest.mark.parametrize("seconds", ["-1", "43201", "1.5", "", "x", "9" * 5000])
def test_VT_1_other_timeouts_are_refused(sqs: Sqs, seconds: str) -> None:
    """InvalidAttributeValue, and the old one stays."""
    orders = queue(sqs)
    refusal = orders.refused("SetQueueAttributes", Attributes={"VisibilityTimeout": seconds})
    assert refusal.shape == "InvalidAttributeValue"


def test_VT_2_a_receive_may_have_a_timeout_of_its_own(sqs: Sqs) -> None:
    """It holds for the messages of that response only."""
    orders = queue(sqs)
    for body in ("a", "b", "c"):
        orders.send(body)
    assert orders.bodies(2, VisibilityTimeout=5) == ["a", "b"]
    assert orders.bodies(1) == ["c"]
    orders.advance(5)
    assert orders.bodies() == ["a", "b"]


def test_VT_3_the_clock_starts_at_the_receive(sqs: Sqs) -> None:
    """Not at the send: 30 seconds count from the moment of return."""
    orders = queue(sqs)
    orders.send()
    orders.advance(100)
    orders.one()
    orders.advance(29.999)
    assert orders.receive() == []
    orders.advance(0.001)
    assert orders.one().count == 2


def test_VT_4_at_its_end_nothing_but_visibility_changes(sqs: Sqs) -> None:
    """No move, no count, though the message is over its limit."""
    orders, dead = with_dead_letters(sqs, 1)
    orders.send()
    orders.one()
    orders.advance(10_000)
    assert orders.counts() == (1, 0, 0)
    assert dead.counts() == (0, 0, 0)


@pytest.mark.parametrize("seconds", [-1, 43_201])
def test_VT_5_a_change_is_0_to_12_hours(sqs: Sqs, seconds: int) -> None:
    """Other values are InvalidParameterValue, in a receive too."""
    orders = queue(sqs)
    orders.send()
    handle = orders.one().handle
    change = orders.refused("ChangeMessageVisibility", ReceiptHandle=handle, VisibilityTimeout=seconds)
    receive = orders.refused("ReceiveMessage", VisibilityTimeout=seconds)
    assert change.code == receive.code == "InvalidParameterValue"


def test_VT_6_a_change_counts_from_the_call(sqs: Sqs) -> None:
    """60 seconds, changed to 10 after 15: over after 25."""
    orders = queue(sqs, VisibilityTimeout=60)
    orders.send()
    message = orders.one()
    orders.advance(15)
    orders.hide(message, 10)
    orders.advance(9.999)
    assert orders.receive() == []
    orders.advance(0.001)
    assert orders.one().count == 2


def test_VT_7_a_change_is_not_remembered(sqs: Sqs) -> None:
    """The next receive hides for the queue's 30 seconds again."""
    orders = queue(sqs)
    orders.send()
    orders.hide(orders.one(), 100)
    orders.advance(100)
    orders.one()
    orders.advance(30)
    assert orders.one().count == 3


def test_VT_8_twelve_hours_count_from_this_receive(sqs: Sqs) -> None:
    """An extension does not restart them; the next receive does."""
    orders = queue(sqs, VisibilityTimeout=40_000)
    orders.send()
    message = orders.one()
    orders.advance(30_000)
    orders.hide(message, 13_200)
    orders.advance(13_000)
    orders.refused("ChangeMessageVisibility", ReceiptHandle=message.handle, VisibilityTimeout=201)
    orders.advance(200)
    again = orders.one()
    orders.hide(again, 43_200)


def test_VT_9_over_the_cap_is_an_error_never_clamped(sqs: Sqs) -> None:
    """43,200 a second after the receive is too much; 43,195 is the known way round."""
    orders = queue(sqs)
    orders.send()
    message = orders.one()
    orders.advance(1)
    refusal = orders.refused("ChangeMessageVisibility", ReceiptHandle=message.handle, VisibilityTimeout=43_200)
    assert refusal.code == "InvalidParameterValue"
    assert "beyond the limit [43200 seconds]" in refusal.message
    orders.hide(message, 43_195)


def test_VT_10_zero_makes_it_receivable_at_once(sqs: Sqs) -> None:
    """The count stays until the next receive."""
    orders = queue(sqs)
    orders.send()
    orders.hide(orders.one(), 0)
    assert orders.counts() == (1, 0, 0)
    assert orders.one().count == 2


def test_VT_11_a_receive_with_zero_counts_and_hides_nothing(sqs: Sqs) -> None:
    """It gives a handle; the next receive without a timeout hides for the queue's."""
    orders = queue(sqs)
    orders.send()
    assert orders.one(VisibilityTimeout=0).count == 1
    assert orders.one().count == 2
    assert orders.receive() == []


def test_VT_12_a_change_on_an_expired_handle_succeeds(sqs: Sqs) -> None:
    """On a standard queue it hides the message again."""
    orders = queue(sqs)
    orders.send()
    message = orders.one()
    orders.advance(31)
    orders.hide(message, 10)
    assert orders.receive() == []
    assert orders.counts() == (0, 1, 0)
    orders.advance(10)
    assert orders.one().count == 2


def test_VT_13_a_change_after_delete_is_refused(sqs: Sqs) -> None:
    """InvalidParameterValue: the message does not exist."""
    orders = queue(sqs)
    orders.send()
    message = orders.one()
    orders.delete(message)
    refusal = orders.refused("ChangeMessageVisibility", ReceiptHandle=message.handle, VisibilityTimeout=1)
    assert refusal.code == "InvalidParameterValue"
    assert "does not exist or is not available for visibility timeout change" in refusal.message


def test_VT_14_an_old_handle_changes_visibility_too(sqs: Sqs) -> None:
    """Received with handle A, then with handle B: a change to 0 by A shows the message."""
    orders = queue(sqs)
    orders.send()
    first = orders.one(VisibilityTimeout=0)
    orders.one(VisibilityTimeout=3)
    orders.hide(first, 0)
    assert orders.one().count == 3


def test_VT_15_a_change_is_for_one_message(sqs: Sqs) -> None:
    """Others of the same response keep their time."""
    orders = queue(sqs)
    orders.send("a")
    orders.send("b")
    first, _ = orders.receive()
    orders.hide(first, 0)
    assert orders.bodies() == ["a"]
    orders.advance(30)
    assert orders.bodies() == ["a", "b"]

"""Messages of one group that expire together, and messages that are sent twice."""

from __future__ import annotations

from chaosqs.model.design import Queue
from chaosqs.sqs.machines.fifo_queue import FifoQueue
from chaosqs.sqs.machines.message import Message, body_of


def test_RT_1_the_last_messages_of_a_group_expire_at_one_moment() -> None:
    """The group is closed by the first of them, and begins anew with the next message."""
    machine = FifoQueue(Queue("orders.fifo", retention_period=60))
    for number in range(3):
        machine.accept(Message(number, 1, 0, group="a"), now=0)
    assert len(machine.receive(1, now=1)[0]) == 1
    assert [message.number for message in machine.expire(now=60_000)] == [0, 1, 2]
    assert not machine.receivable
    machine.accept(Message(3, 1, 60_000, group="a"), now=60_000)
    received, _ = machine.receive(10, now=60_000)
    assert [receipt.message.number for receipt in received] == [3]


def test_OR_4_the_body_of_a_message_that_was_sent_twice_is_the_same() -> None:
    """A copy has another number, and the contents of the first."""
    assert body_of(Message(7, 20, 0, copy_of=2)) == body_of(Message(2, 20, 0))

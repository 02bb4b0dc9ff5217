"""Ledger, chapter 2: receive, polling, in flight, order."""

from __future__ import annotations

import pytest

from chaosqs.faults.injector import NO_FAULTS
from chaosqs.kernel.context import RandomStreams, SimulationContext
from chaosqs.kernel.event_queue import EventQueue
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import Queue
from chaosqs.sqs.api.receiving import Wait
from chaosqs.sqs.api.region import Accounts
from chaosqs.sqs.api.sqs import Sqs
from chaosqs.sqs.machines.fifo_queue import FifoQueue
from chaosqs.sqs.machines.message import Message
from chaosqs.sqs.machines.queue_machine import Chance
from chaosqs.sqs.machines.standard_queue import StandardQueue
from tests.sqs.api.probe import entries, listed, queue, with_dead_letters


@pytest.mark.parametrize("most", [0, 11, -1])
def test_RX_1_one_to_ten_messages(sqs: Sqs, most: int) -> None:
    """Other numbers are InvalidParameterValue."""
    refusal = queue(sqs).refused("ReceiveMessage", MaxNumberOfMessages=most)
    assert refusal.code == "InvalidParameterValue"
    assert refusal.message == (
        f"Value {most} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided."
    )


def test_RX_1_the_default_is_one(sqs: Sqs) -> None:
    """However many there are."""
    orders = queue(sqs)
    orders.send("a")
    orders.send("b")
    assert len(listed(orders.call("ReceiveMessage"), "Messages")) == 1


def test_RX_2_fewer_than_asked_is_legal() -> None:
    """With seed 0 a receive returns all it could, with other seeds sometimes fewer, but never none."""
    context = SimulationContext(EventQueue(0), RandomStreams(7), NO_FAULTS, Assumptions(partial_receives=100))
    orders = queue(Sqs(Accounts(context)))
    for _ in range(200):
        orders.send()
    sizes = [len(orders.receive(10, WaitTimeSeconds=1)) for _ in range(20)]
    assert min(sizes) >= 1
    assert len(set(sizes)) > 2


@pytest.mark.parametrize("seconds", [-1, 21])
def test_RX_3_a_wait_is_0_to_20_seconds(sqs: Sqs, seconds: int) -> None:
    """Other waits are InvalidParameterValue."""
    assert queue(sqs).refused("ReceiveMessage", WaitTimeSeconds=seconds).code == "InvalidParameterValue"


def test_RX_3_the_requests_wait_overrides_the_queues(sqs: Sqs) -> None:
    """The queue's is 0 by default, and holds where the request has none."""
    orders = queue(sqs, ReceiveMessageWaitTimeSeconds=7)
    assert orders.receive() == []
    assert sqs.now == 7_000
    assert orders.receive(WaitTimeSeconds=3) == []
    assert sqs.now == 10_000
    assert orders.receive(WaitTimeSeconds=0) == []
    assert sqs.now == 10_000


def test_RX_4_a_short_poll_asks_a_sample_of_servers() -> None:
    """What lives on others is not found; a long poll asks all."""

    def half(queue: str, receives: int, *, short: bool) -> Chance:
        del queue, receives
        return Chance(servers=(True, False)) if short else Chance()

    orders = queue(Sqs(Accounts(chance=half)))
    for number in range(4):
        orders.send(str(number))
    assert orders.bodies() == ["0", "2"]
    assert orders.bodies() == []
    assert orders.counts() == (2, 2, 0)
    assert orders.bodies(WaitTimeSeconds=1) == ["1", "3"]


def test_RX_5_a_long_poll_returns_as_soon_as_something_is_there(sqs: Sqs) -> None:
    """It does not wait to fill up."""
    orders = queue(sqs)
    wait = sqs.call("ReceiveMessage", {"QueueUrl": orders.url, "WaitTimeSeconds": 20, "MaxNumberOfMessages": 10})
    assert isinstance(wait, Wait)
    answers: list[dict[str, object]] = []
    wait.then(answers.append)
    orders.advance(5)
    orders.send("a")
    orders.send("b")
    assert [entries(message)["Body"] for message in listed(answers[0], "Messages")] == ["a"]
    orders.advance(60)
    assert len(answers) == 1


def test_RX_5_it_comes_back_empty_at_its_end_without_a_list(sqs: Sqs) -> None:
    orders = queue(sqs)
    assert orders.call("ReceiveMessage", WaitTimeSeconds=20) == {}
    assert sqs.now == 20_000


def test_RX_5_who_is_gone_gets_nothing(sqs: Sqs) -> None:
    """A caller that was cancelled takes no message from others."""
    orders = queue(sqs)
    wait = sqs.call("ReceiveMessage", {"QueueUrl": orders.url, "WaitTimeSeconds": 20})
    assert isinstance(wait, Wait)
    answers: list[dict[str, object]] = []
    wait.then(answers.append)
    wait.cancel()
    orders.send()
    orders.advance(30)
    assert answers == []
    assert orders.one().count == 1


def test_RX_6_a_long_poll_is_woken_by_what_makes_a_message_visible(sqs: Sqs) -> None:
    """A delay that ends, a visibility that ends."""
    orders = queue(sqs)
    orders.send(DelaySeconds=4)
    assert orders.one(WaitTimeSeconds=20, VisibilityTimeout=5).count == 1
    assert sqs.now == 4_000
    assert orders.one(WaitTimeSeconds=20).count == 2
    assert sqs.now == 9_000


def test_RX_6_and_by_a_delete_that_lets_a_group_go_on(sqs: Sqs) -> None:
    """FIFO: m2 waits for m1."""
    orders = queue(sqs, "orders.fifo")
    orders.put("m1")
    orders.put("m2")
    first = orders.one()
    wait = sqs.call("ReceiveMessage", {"QueueUrl": orders.url, "WaitTimeSeconds": 20})
    assert isinstance(wait, Wait)
    answers: list[dict[str, object]] = []
    wait.then(answers.append)
    orders.delete(first)
    assert [entries(message)["Body"] for message in listed(answers[0], "Messages")] == ["m2"]


def test_RX_7_the_count_goes_over_all_queues(sqs: Sqs) -> None:
    """One more at each receive, and the dead-letter queue goes on counting."""
    orders, dead = with_dead_letters(sqs, 2, VisibilityTimeout=0)
    orders.send()
    assert [orders.one().count, orders.one().count] == [1, 2]
    assert orders.receive() == []
    assert dead.one().count == 3


def test_RX_8_a_lost_response_counts_all_the_same() -> None:
    """The machine counts when it receives; whether anybody learns of it is not its business."""
    machine = StandardQueue(Queue("q", visibility_timeout=0))
    message = Message(0, 1, 0)
    machine.accept(message, now=0)
    machine.receive(1, now=0)
    assert (message.receive_count, message.deliveries) == (1, 1)


def test_RX_9_timestamps_are_milliseconds_since_1970_as_strings(sqs: Sqs) -> None:
    """Virtual time counts from the world's epoch."""
    orders = queue(sqs)
    sqs.advance(1)
    orders.send()
    sqs.advance(2)
    message = orders.one()
    assert message.attributes["SentTimestamp"] == str(sqs.epoch + 1)
    assert message.attributes["ApproximateFirstReceiveTimestamp"] == str(sqs.epoch + 3)


def test_RX_10_the_first_receive_keeps_its_timestamp(sqs: Sqs) -> None:
    """Later receives do not change it, nor (assumed) does a dead-letter queue."""
    orders, dead = with_dead_letters(sqs, 1)
    sqs.advance(5)
    orders.send()
    first = orders.one().attributes["ApproximateFirstReceiveTimestamp"]
    sqs.advance(30_000)
    orders.receive()
    assert dead.one().attributes["ApproximateFirstReceiveTimestamp"] == first == str(sqs.epoch + 5)


def test_RX_11_the_system_attributes_there_are(sqs: Sqs) -> None:
    """Of a standard queue, and of a FIFO queue; others are refused."""
    orders, fifo = queue(sqs), queue(sqs, "orders.fifo")
    orders.send(MessageSystemAttributes={"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}})
    fifo.put("a")
    common = {"SenderId", "SentTimestamp", "ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp"}
    assert set(orders.one().attributes) == common | {"AWSTraceHeader"}
    assert set(fifo.one().attributes) == common | {"SequenceNumber", "MessageDeduplicationId", "MessageGroupId"}
    assert orders.refused("ReceiveMessage", AttributeNames=["Nonsense"]).code == "InvalidAttributeName"


def test_RX_12_attributes_come_only_where_they_are_asked_for(sqs: Sqs) -> None:
    """By the newer name, by the older, by name, by prefix; the digest is of what is returned."""
    orders = queue(sqs, VisibilityTimeout=0)
    text = {"DataType": "String", "StringValue": "v"}
    orders.send(MessageAttributes={"General": text, "Hello": text, "Help.Me": text})

    def names(*asked: str) -> set[str]:
        return set(entries(orders.one(MessageAttributeNames=list(asked)).shown.get("MessageAttributes", {})))

    assert names() == set()
    assert names("Nope") == set()
    assert names("All") == names(".*") == names("*") == names("Nope", "*") == {"General", "Hello", "Help.Me"}
    assert names("Hello", "Nope") == {"Hello"}
    assert names("Hel.*") == {"Hello", "Help.Me"}
    (message,) = orders.receive(MessageSystemAttributeNames=[], AttributeNames=["SenderId"])
    assert set(message.attributes) == {"SenderId"}
    (message,) = orders.receive(MessageSystemAttributeNames=[])
    assert set(message.shown) == {"MessageId", "ReceiptHandle", "MD5OfBody", "Body"}


def _full(machine: StandardQueue | FifoQueue) -> None:
    for number in range(4):
        machine.accept(Message(number, 1, 0, group=f"g{number}" if machine.queue.fifo else ""), now=0)


def test_IF_1_in_flight_messages_are_limited() -> None:
    """About 120,000 on a standard queue; the quota is a parameter of the machine."""
    assert StandardQueue(Queue("q")).in_flight_quota == 120_000
    machine = StandardQueue(Queue("q"), in_flight_quota=3)
    _full(machine)
    received, _ = machine.receive(10, now=0)
    assert len(received) == 3
    assert not machine.receivable
    machine.delete(received[0])
    assert machine.receivable


def test_IF_2_IF_3_over_the_quota_a_short_poll_fails_and_a_long_one_waits(sqs: Sqs) -> None:
    """OverLimit for the one, nothing until some leave flight for the other."""
    orders = queue(sqs)
    resource = sqs.accounts.region("123456789012", "us-east-1").queues["orders"]
    resource.state.machine.in_flight_quota = 1
    orders.send("a")
    orders.send("b")
    orders.one()
    refusal = orders.refused("ReceiveMessage")
    assert (refusal.code, refusal.status) == ("OverLimit", 403)
    assert orders.bodies(WaitTimeSeconds=10) == []
    assert orders.bodies(WaitTimeSeconds=20) == ["a"]


def test_IF_4_over_the_quota_a_fifo_queue_returns_nothing() -> None:
    """No error: 120,000 as well."""
    machine = FifoQueue(Queue("q.fifo"), in_flight_quota=3)
    _full(machine)
    assert len(machine.receive(10, now=0)[0]) == 3
    assert machine.receive(10, now=0)[0] == []
    orders = queue(Sqs(), "orders.fifo")
    resource = orders.sqs.accounts.region("123456789012", "us-east-1").queues["orders.fifo"]
    resource.state.machine.in_flight_quota = 0
    orders.put("a")
    assert orders.receive() == []


def test_IF_5_a_backlog_of_one_group_starves_later_groups() -> None:
    """Only the first messages of the queue are looked at for groups: 120,000, here 3."""
    machine = FifoQueue(Queue("q.fifo"), window=3)
    for number, group in enumerate(("a", "a", "a", "b")):
        machine.accept(Message(number, 1, 0, group=group), now=0)
    ((first,), _) = machine.receive(1, now=0)
    assert machine.receive(10, now=0)[0] == []
    machine.delete(first)
    assert [receipt.message.number for receipt in machine.receive(10, now=0)[0]] == [1, 2, 3]


def test_IF_6_the_fifo_quota_is_a_fixed_number() -> None:
    """AWS's pages disagree; the figure of the API is taken."""
    assert FifoQueue(Queue("q.fifo")).in_flight_quota == 120_000


def test_OR_1_order_is_an_input() -> None:
    """Calm: as sent. A receive can be told to pass over some, which stay where they are."""
    machine = StandardQueue(Queue("q"))
    for number in range(6):
        machine.accept(Message(number, 1, 0), now=0)
    received, _ = machine.receive(2, now=0, chance=Chance(skip=3))
    assert [receipt.message.number for receipt in received] == [3, 4]
    assert [receipt.message.number for receipt in machine.receive(10, now=0)[0]] == [0, 1, 2, 5]


def test_OR_1_passing_over_finds_the_last_one() -> None:
    """Chance never makes a receive miss the only message that there is."""
    machine = StandardQueue(Queue("q"))
    machine.accept(Message(0, 1, 0), now=0)
    assert len(machine.receive(1, now=0, chance=Chance(skip=9))[0]) == 1


def test_OR_2_what_comes_back_is_ahead_of_newer_messages(sqs: Sqs) -> None:
    """An expired message was seen to come before one that was sent later."""
    orders = queue(sqs)
    orders.send("old")
    orders.one()
    orders.advance(29)
    orders.send("new")
    orders.advance(1)
    assert orders.bodies() == ["old", "new"]


def test_OR_3_the_move_to_the_back_is_an_option() -> None:
    """Off by default, as AWS's pages disagree: after three receives a message comes back behind all others."""
    for moves, expected in ((False, [0, 1]), (True, [1, 0])):
        machine = StandardQueue(Queue("q", visibility_timeout=0), moves_to_back=moves)
        machine.accept(Message(0, 1, 0), now=0)
        for now in range(3):
            machine.receive(1, now=now)
            if now == 2:
                machine.accept(Message(1, 1, now), now=now)
            machine.settle(now=now)
        assert [receipt.message.number for receipt in machine.receive(10, now=3)[0]] == expected


def test_OR_4_a_message_in_flight_can_be_delivered_again() -> None:
    """Within its visibility: an input of the machine; both handles are of the same message."""
    machine = StandardQueue(Queue("q"))
    message = Message(0, 1, 0)
    machine.accept(message, now=0)
    machine.receive(1, now=0)
    assert machine.reappear(message, now=1)
    ((again,), _) = machine.receive(1, now=1)
    assert (again.message.number, again.message.receive_count) == (0, 2)
    assert (machine.visible, machine.stored, machine.store.in_flight) == (0, 1, 1)

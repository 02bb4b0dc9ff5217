"""Ledger, chapter 5: fair queues."""

from __future__ import annotations

import pytest

from chaosqs.sqs.api.sqs import Sqs
from tests.sqs.api.probe import Got, Probe, queue


def fill(orders: Probe, group: str, count: int) -> None:
    for _ in range(count):
        orders.send(group, MessageGroupId=group)


def take(orders: Probe, count: int) -> list[Got]:
    return [orders.one() for _ in range(count)]


@pytest.fixture
def orders(sqs: Sqs) -> Probe:
    return queue(sqs, VisibilityTimeout=1000)


@pytest.mark.parametrize("group", ["", "a b", "é", "x" * 129])
def test_FQ_1_a_group_id_is_1_to_128_characters(orders: Probe, group: str) -> None:
    """On standard queues it is optional; a wrong one is InvalidParameterValue."""
    assert orders.refused("SendMessage", MessageBody="x", MessageGroupId=group).code == "InvalidParameterValue"
    orders.send(MessageGroupId="!" * 128)
    orders.send()


def test_FQ_1_deduplication_ids_are_not_for_standard_queues(orders: Probe) -> None:
    """InvalidParameterValue."""
    assert orders.refused("SendMessage", MessageBody="x", MessageDeduplicationId="d").code == "InvalidParameterValue"


def test_FQ_2_the_group_id_is_returned(orders: Probe) -> None:
    """As a system attribute."""
    orders.send(MessageGroupId="g")
    assert orders.one().attributes["MessageGroupId"] == "g"


def test_FQ_3_no_order_and_no_blocking(orders: Probe) -> None:
    """Messages of one group are in flight together."""
    fill(orders, "g", 3)
    assert len(take(orders, 3)) == 3


def test_FQ_4_without_an_id_each_message_is_its_own_tenant(orders: Probe) -> None:
    """However many are in flight, none of them is noisy."""
    orders.send(MessageGroupId="quiet")
    for _ in range(60):
        orders.send("none")
    take(orders, 51)
    fill(orders, "g", 1)
    assert [got.body for got in take(orders, 11)] == ["none"] * 10 + ["g"]


def test_FQ_5_FQ_6_quiet_tenants_come_first(orders: Probe) -> None:
    """A with 200 in flight of 220 waits while B has visible messages, and flows again when B has none."""
    fill(orders, "a", 200)
    fill(orders, "c", 20)
    take(orders, 220)
    fill(orders, "a", 5)
    fill(orders, "b", 2)
    assert [got.body for got in take(orders, 7)] == ["b", "b", "a", "a", "a", "a", "a"]


@pytest.mark.parametrize(
    ("mine", "others", "noisy"), [(29, 0, False), (30, 0, True), (30, 270, False), (31, 269, True)]
)
def test_FQ_5_noisy_is_over_a_tenth_of_the_flight_and_30_of_it(
    orders: Probe,
    mine: int,
    others: int,
    noisy: bool,  # noqa: FBT001 - a table
) -> None:
    """Both; the thresholds are approximate on AWS."""
    fill(orders, "a", mine)
    for number in range(others):
        orders.send(MessageGroupId=f"o{number}")
    take(orders, mine + others)
    fill(orders, "a", 1)
    fill(orders, "b", 1)
    assert [got.body for got in take(orders, 2)] == (["b", "a"] if noisy else ["a", "b"])


def test_FQ_6_among_noisy_ones_the_fewest_in_flight_come_first(orders: Probe) -> None:
    """With only noisy tenants left they flow as usual."""
    fill(orders, "a", 60)
    fill(orders, "b", 40)
    take(orders, 100)
    fill(orders, "a", 2)
    fill(orders, "b", 2)
    assert [got.body for got in take(orders, 4)] == ["b", "b", "a", "a"]


def test_FQ_7_a_consumed_backlog_makes_quiet(orders: Probe) -> None:
    """All of A is deleted: its next message is as good as any."""
    fill(orders, "a", 40)
    flying = take(orders, 40)
    fill(orders, "a", 1)
    flying += take(orders, 1)
    for got in flying:
        orders.delete(got)
    fill(orders, "a", 1)
    fill(orders, "b", 1)
    assert [got.body for got in take(orders, 2)] == ["a", "b"]


def test_FQ_7_five_minutes_without_flight_make_quiet(orders: Probe) -> None:
    """Not before."""
    fill(orders, "a", 40)
    flying = take(orders, 40)
    fill(orders, "a", 4)
    fill(orders, "b", 2)
    assert orders.one().body == "b"
    for got in flying:
        orders.delete(got)
    orders.advance(299)
    assert orders.one().body == "b"
    orders.advance(1)
    fill(orders, "b", 1)
    assert [got.body for got in take(orders, 5)] == ["a", "a", "a", "a", "b"]


def test_FQ_8_flight_is_what_consumers_hold(orders: Probe) -> None:
    """Concurrency times batch size: three consumers with ten each make 30 in flight."""
    fill(orders, "a", 30)
    for _ in range(3):
        assert len(orders.receive(10)) == 10
    assert orders.counts() == (0, 30, 0)

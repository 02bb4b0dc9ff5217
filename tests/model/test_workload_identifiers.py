"""Which fields of a body identify its message, and how each message gets identifiers of its own."""

from __future__ import annotations

import json

import pytest

from chaosqs.model.json import Json
from chaosqs.model.message import Message
from chaosqs.model.workload import Burst, Identifiers, as_sent, is_identifier, successor


@pytest.mark.parametrize(
    "name",
    [
        "id",
        "ID",
        "Id",
        "orderId",
        "orderID",
        "order_id",
        "order-id",
        "uuid",
        "eventUuid",
        "idempotency_key",
        "idempotencyKey",
        "IDEMPOTENCY-KEY",
    ],
)
def test_identifiers(name: str) -> None:
    """A name that ends in id, uuid or guid as a word is that of an identifier."""
    assert is_identifier(name)


@pytest.mark.parametrize("name", ["paid", "valid", "grid", "identity", "ids", "amount", "key", ""])
def test_other_names(name: str) -> None:
    """Words that only end in the letters are not."""
    assert not is_identifier(name)


@pytest.mark.parametrize(
    ("value", "after"),
    [
        (7, 8),
        ("o-9", "o-10"),
        ("A007", "A008"),
        ("order", "order-2"),
        ("3f2504e0-4f89-41d3-9a0c-0305e82c3301", "3f2504e0-4f89-41d3-9a0c-0305e82c3302"),
        ("3f2504e0-4f89-41d3-9a0c-ffffffffffff", "3f2504e0-4f89-41d3-9a0c-000000000000"),
    ],
)
def test_the_identifier_after_one_has_its_form(value: str | int, after: str | int) -> None:
    """Numbers count, leading zeros stay, and a UUID stays one."""
    assert successor(value) == after


def bodies(*samples: Json, count: int = 0) -> list[Json]:
    """Return the bodies of a distinct load."""
    sent = as_sent([Burst("orders", count, messages=samples, distinct=True)])
    return [json.loads(arrival.body(number)) for number, arrival in enumerate(sent)]


def test_each_message_has_its_own() -> None:
    """The first has the sample's; two samples do not collide; other fields stay."""
    assert bodies({"id": "o-1", "n": 1}, {"id": "o-2", "n": 2}, count=5) == [
        {"id": "o-1", "n": 1},
        {"id": "o-2", "n": 2},
        {"id": "o-3", "n": 1},
        {"id": "o-4", "n": 2},
        {"id": "o-5", "n": 1},
    ]


def test_only_the_first_identifier_of_an_object_is_the_message_s() -> None:
    """Others name something that messages may have in common."""
    assert bodies({"order_id": 1, "customer_id": 1}, count=2)[1] == {"order_id": 2, "customer_id": 1}
    assert bodies({"customer": {"id": 1}, "order_id": 1}, count=2)[1] == {"customer": {"id": 1}, "order_id": 2}


def test_envelopes_have_one_inside() -> None:
    """The contents of an event of EventBridge or SNS have an identifier, too; SNS writes them as text."""
    assert bodies({"id": "e1", "detail": {"orderId": 5}}, count=2)[1] == {"id": "e2", "detail": {"orderId": 6}}
    second = bodies({"MessageId": "m1", "Message": json.dumps({"id": 1})}, count=2)[1]
    assert second == {"MessageId": "m2", "Message": json.dumps({"id": 2})}


@pytest.mark.parametrize(
    "body", ["plain", "{broken", '["id"]', '{"id": null}', '{"id": true}', '{"id": ""}', '{"id": 1.5}']
)
def test_what_has_no_identifier_stays(body: str) -> None:
    """Text, lists, and identifiers that are no text and no whole number are sent as they are."""
    own = Identifiers()
    assert [own.own(Message(body)).body for _ in range(2)] == [body, body]

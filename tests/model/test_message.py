"""Messages as producers send them: what is accepted, what is refused, how large they are, and how they print."""

from __future__ import annotations

import pytest

from chaosqs.errors import InvalidScenario
from chaosqs.model.design import Design, Queue
from chaosqs.model.json import from_json, to_json
from chaosqs.model.message import Attribute, Message
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, arrivals

DESIGN = Design([Queue("orders", maximum_message_size=1024), Queue("orders.fifo")])


def refused(message: Message, queue: str = "orders", groups: int = 0) -> list[tuple[str, str]]:
    """Return path and rule of each problem of a scenario with this message."""
    try:
        Scenario(DESIGN, [Burst(queue, messages=[message], groups=groups)])
    except InvalidScenario as error:
        return [(problem.path.removeprefix("workload[0]."), problem.rule) for problem in error.problems]
    return []


def test_what_is_no_text_is_written_as_json() -> None:
    """A dict, a list or a number becomes the text that `json.dumps` makes."""
    bodies = ("x", {"id": 1, "amount": None}, [1, "é"], 7)
    texts = ["x", '{"id": 1, "amount": null}', '[1, "\\u00e9"]', "7"]
    assert [Message(body).body for body in bodies] == texts


@pytest.mark.parametrize("body", [{1, 2}, b"x", float("nan"), {"x": object()}])
def test_a_body_that_json_cannot_hold_is_refused(body: object) -> None:
    """The error names the field and the reason."""
    with pytest.raises(InvalidScenario, match=r"body = .*must be text, or a value that JSON can hold"):
        Message(body)


def test_attributes_are_written_in_short_or_as_boto3_and_lambda_write_them() -> None:
    """All spellings of an attribute make equal messages."""
    short = Message("x", attributes={"kind": "paid", "weight": 3, "raw": b"ab"})
    boto3 = {
        "kind": {"DataType": "String", "StringValue": "paid"},
        "weight": {"DataType": "Number", "StringValue": "3"},
        "raw": {"DataType": "Binary", "BinaryValue": b"ab"},
    }
    event = {
        "raw": {"dataType": "Binary", "binaryValue": "YWI="},
        "kind": {"dataType": "String", "stringValue": "paid"},
        "weight": {"dataType": "Number", "stringValue": "3"},
    }
    assert Message("x", attributes=boto3) == short == Message("x", attributes=event)
    assert short.attributes["weight"] == Attribute("Number", "3")


@pytest.mark.parametrize(
    "value", [True, None, ["x"], {"DataType": "String"}, {"DataType": "Binary", "BinaryValue": "?"}]
)
def test_a_value_that_is_no_attribute_is_refused(value: object) -> None:
    """The error names the field."""
    with pytest.raises(InvalidScenario, match=r"^attributes = "):
        Message("x", attributes={"kind": value})


@pytest.mark.parametrize(
    ("message", "path", "rule"),
    [
        (Message(""), "messages[0].body", "SZ-6"),
        (Message("a\x00b"), "messages[0].body", "SZ-8"),
        (Message("x", {f"a{n}": "x" for n in range(11)}), "messages[0].attributes", "AT-1"),
        (Message("x", {"AWS.kind": "x"}), "messages[0].attributes['AWS.kind']", "AT-2"),
        (Message("x", {"kind": ""}), "messages[0].attributes['kind']", "AT-2"),
        (Message("x", {"n": {"DataType": "Number", "StringValue": "many"}}), "messages[0].attributes['n']", "AT-2"),
        (Message("x", {"n": {"DataType": "Text", "StringValue": "x"}}), "messages[0].attributes['n']", "AT-2"),
        (Message("x", group="a b"), "messages[0].group", "FF-2"),
        (Message("x" * 1025), "messages", "SZ-3"),
        (Message("x" * 1011, {"kind": "paid"}), "messages", "SZ-3"),
        (Message("x", deduplication_id="d"), "messages[0].deduplication_id", "FF-3"),
    ],
)
def test_what_sqs_refuses_a_scenario_refuses(message: Message, path: str, rule: str) -> None:
    """The problem has the message's path, and the rule of the ledger."""
    assert refused(message) == [(path, rule)]


def test_the_limits_are_accepted() -> None:
    """The last valid values pass."""
    assert refused(Message("x" * 1024)) == []
    assert refused(Message("x", {f"a{n}": "x" for n in range(10)}, group="!" * 128)) == []


def test_a_fifo_message_needs_a_group() -> None:
    """The group is its own, or the load's."""
    assert refused(Message("x"), "orders.fifo") == [("groups", "FF-2")]
    assert refused(Message("x", group="g"), "orders.fifo") == []
    assert refused(Message("x"), "orders.fifo", groups=1) == []


def test_attributes_count() -> None:
    """The size is that of the body's UTF-8 bytes and of each attribute's name, type and value."""
    assert Message("é", attributes={"kind": "paid"}).size == 2 + len("kindStringpaid")
    [arrival] = arrivals([Burst("orders", messages=["é"])])
    assert arrival.body_bytes == 2


def test_a_load_without_a_count_sends_each_message_once() -> None:
    """With a count they are sent round-robin."""
    assert Burst("orders", messages=["a", "b"]).count == 2
    sent = arrivals([Burst("orders", 3, messages=["a", "b"])])
    assert [arrival.body(number) for number, arrival in enumerate(sent)] == ["a", "b", "a"]


def test_a_message_prints_as_one_would_write_it() -> None:
    """A body that is JSON prints as the dict or list that makes the same text; any other prints as text."""
    assert repr(Message({"id": "o-1", "ok": True})) == "Message({'id': 'o-1', 'ok': True})"
    assert repr(Message('{"id":1}')) == "Message('{\"id\":1}')"
    assert repr(Message("x", {"kind": "paid"}, note="odd")) == "Message('x', attributes={'kind': 'paid'}, note='odd')"
    long = Message('{"a": "' + "x" * 50_000 + '"}')
    assert repr(long) == """Message('{"a": "' + 'x' * 50000 + '"}')"""
    assert repr(Message("[" * 2000 + "]" * 2000)).startswith("Message('[[[")


def test_a_file_may_have_bodies_in_short() -> None:
    """In a scenario's file a message is its body, or an object with a body that is text or JSON."""
    text = to_json(Scenario(DESIGN, [Burst("orders", messages=["x", {"id": 1}])]))
    short = text.replace('"body": "{\\"id\\": 1}"', '"body": {"id": 1}')
    assert short != text
    assert from_json(Scenario, short) == from_json(Scenario, text)


def test_a_wrong_message_in_a_file_is_refused_by_path() -> None:
    """The path leads to the field."""
    text = to_json(Scenario(DESIGN, [Burst("orders", messages=[Message("x", {"kind": "paid"})])]))
    with pytest.raises(InvalidScenario, match=r"workload\[0\].messages\[0\].attributes\['kind'\]: must be text"):
        from_json(Scenario, text.replace('"paid"', "null"))
    with pytest.raises(InvalidScenario, match=r"messages\[0\].colour: unknown field"):
        from_json(Scenario, text.replace('"body"', '"colour": 1, "body"'))

"""Drawn messages: ordinary ones from samples, and poison messages with one thing wrong with them."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaosqs.errors import InvalidScenario
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.message import Message
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import as_sent
from chaosqs.search.messages import Given, sources
from chaosqs.strategies.messages import poison
from chaosqs.strategies.workloads import workloads
from tests.model.drawn import messages

ORDER = {"id": "o-1", "amount": 12.5, "paid": True, "status": "open", "lines": [{"sku": "x1"}], "note": None}


def poisoned(body: object, **attributes: object) -> dict[str, str]:
    """Return the bodies of the poison messages of a sample, by their notes."""
    return {each.note: each.body for each in poison(Message(body, attributes), 2000)}


CHANGES: list[tuple[str, str, object]] = [
    ("amount is null in place of 12.5", "amount", None),
    ('amount is the text "12.5" in place of 12.5', "amount", "12.5"),
    ("amount is 0 in place of 12.5", "amount", 0),
    ("amount is -12.5 in place of 12.5", "amount", -12.5),
    ("amount is huge (10³⁰) in place of 12.5", "amount", 10**30),
    ("amount is an object with the value inside in place of 12.5", "amount", {"value": 12.5}),
    ('status is the text "unknown" in place of "open"', "status", "unknown"),
    ('status is empty in place of "open"', "status", ""),
    ('lines is {} in place of [{"sku": "x1"}]', "lines", {}),
    ('lines[0].sku is null in place of "x1"', "lines", [{"sku": None}]),
    ("lines[0].sku is missing", "lines", [{}]),
    ('paid is the text "true" in place of true', "paid", "true"),
]


@pytest.mark.parametrize(("note", "field", "value"), CHANGES)
def test_one_field_is_changed(note: str, field: str, value: object) -> None:
    """The note names it, and all others are those of the sample."""
    assert json.loads(poisoned(ORDER)[note]) == {**ORDER, field: value}


def test_a_field_may_be_missing() -> None:
    """Whatever it is."""
    assert json.loads(poisoned(ORDER)["paid is missing"]) == {key: ORDER[key] for key in ORDER if key != "paid"}


def test_a_queue_with_notifications_of_s3_gets_its_test_event() -> None:
    """It has no records, and is the first poison message; also in the envelope of a topic."""
    record = {"eventSource": "aws:s3", "s3": {"bucket": {"name": "photos"}, "object": {"key": "a"}}}
    first = next(poison(Message({"Records": [record]}), 2000))
    assert (json.loads(first.body)["Event"], json.loads(first.body)["Bucket"]) == ("s3:TestEvent", "photos")
    assert first.note.startswith("S3's test event")
    enveloped = Message({"Type": "Notification", "Message": json.dumps({"Records": [record]})})
    assert json.loads(next(poison(enveloped, 2000)).body) == {"Type": "Notification", "Message": first.body}
    assert "S3's test event" not in "".join(poisoned({"Records": [{"eventSource": "aws:sqs"}], "Message": "[]"}))


def test_a_body_may_be_something_else() -> None:
    """It is cut off, or empty in some way."""
    found = poisoned({"id": 1, "amount": 2})
    assert found["the body is cut off, so it is not JSON"] == '{"id": 1, "amo'
    assert found["the body is an empty object"] == "{}"
    assert list(poisoned("plain text").values()) == ["{}", "null", " "]


def test_text_that_holds_an_object_has_fields() -> None:
    """As in the envelope of SNS."""
    found = poisoned({"Message": json.dumps({"amount": 1})})
    assert json.loads(found["Message.amount is null in place of 1"]) == {"Message": '{"amount": null}'}


def test_an_attribute_may_be_missing() -> None:
    """One at a time."""
    found = [each for each in poison(Message("x", {"kind": "paid", "weight": 3}), 2000) if "attribute" in each.note]
    assert [list(each.attributes) for each in found] == [["weight"], ["kind"]]


@settings(max_examples=50)
@given(messages)
def test_poison_differs_and_fits(message: Message) -> None:
    """Each differs from the sample and says in what; none is larger than the queue takes."""
    found = list(poison(message, 4096))
    assert all(each.note and each.size <= 4096 for each in found)
    assert all((each.body, each.attributes) != (message.body, message.attributes) for each in found)
    assert len({each.note for each in found}) == len(found)


def design(queue: Queue) -> Design:
    return Design([queue], [Function("worker")], [EventSourceMapping(queue.name, "worker")])


STANDARD = Queue("orders", maximum_message_size=1024)
FIFO = Queue("orders.fifo", maximum_message_size=1024)
CONTENT = Queue("orders.fifo", content_based_deduplication=True)
SAMPLES = (Message(ORDER, {"kind": "paid"}), Message({"id": "o-2"}, group="g", deduplication_id="d"))


@settings(max_examples=25)
@given(st.data(), st.sampled_from((STANDARD, FIFO, CONTENT)), st.booleans())
def test_every_drawn_workload_is_valid_for_its_queue(data: st.DataObject, queue: Queue, own: bool) -> None:  # noqa: FBT001
    """Whether samples or a strategy are given, a scenario takes what is drawn, as it is sent, too."""
    given: Mapping[str, Given] = {queue.name: st.sampled_from(SAMPLES) if own else SAMPLES}
    load = data.draw(workloads(design(queue), sources=sources(design(queue), given)))
    Scenario(design(queue), load)
    assert all(arrival.body_bytes <= queue.maximum_message_size for arrival in as_sent(load))


@given(st.data())
def test_at_most_one_message_in_a_load_is_poison(data: st.DataObject) -> None:
    """The others are ordinary, so it is clear what a handler fails on."""
    load = data.draw(workloads(design(STANDARD), sources=sources(design(STANDARD), {"orders": [ORDER]})))
    for each in load:
        notes = [arrival.message.note for arrival in as_sent([each]) if arrival.message and arrival.message.note]
        assert len(notes) <= 1


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"parcels": ["x"]}, r"messages\['parcels'\]: must name a queue: orders"),
        ({"orders": []}, r"messages\['orders'\]: must have at least one message"),
        ({"orders": ["x", ""]}, r"messages\['orders'\]\[1\].body = '': must have at least one character"),
        ({"orders": ["x" * 1025]}, r"messages\['orders'\]\[0\].body = '1025 bytes': must have at most 1024 bytes"),
    ],
)
def test_wrong_samples_are_refused(given: Mapping[str, Given], problem: str) -> None:
    """The error names the queue, the index and the reason."""
    with pytest.raises(InvalidScenario, match=problem):
        sources(design(STANDARD), given)

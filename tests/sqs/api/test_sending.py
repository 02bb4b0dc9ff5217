"""Ledger, chapter 3: size, batches, attributes, delays."""

from __future__ import annotations

import hashlib
import struct

import pytest

from chaosqs.sqs.api.sqs import Sqs
from tests.sqs.api.probe import Probe, entries, listed, queue

MIB = 1_048_576
TEXT = {"DataType": "String", "StringValue": "v"}


def batch(orders: Probe, *given: dict[str, object]) -> dict[str, object]:
    return orders.call("SendMessageBatch", Entries=list(given))


def entry(number: int, body: str = "x", **more: object) -> dict[str, object]:
    return {"Id": str(number), "MessageBody": body, **more}


def failures(answer: dict[str, object]) -> list[tuple[object, object]]:
    return [(failed["Id"], failed["Code"]) for failed in map(entries, listed(answer, "Failed"))]


def test_SZ_1_a_message_has_up_to_a_mebibyte_with_its_attributes(sqs: Sqs) -> None:
    """Names, types and values count as bytes of UTF-8; the trace header does not count."""
    orders = queue(sqs)
    trace = {"AWSTraceHeader": {"DataType": "String", "StringValue": "Root=1"}}
    orders.send("x" * MIB, MessageSystemAttributes=trace)
    orders.refused("SendMessage", MessageBody="x" * (MIB + 1))
    orders.refused("SendMessage", MessageBody="é" * (MIB // 2) + "x")
    left = MIB - len("name") - len("String") - len("v")
    orders.send("x" * left, MessageAttributes={"name": TEXT})
    orders.refused("SendMessage", MessageBody="x" * (left + 1), MessageAttributes={"name": TEXT})


@pytest.mark.parametrize("size", ["1023", "1048577"])
def test_SZ_2_a_queues_limit_is_1_KiB_to_1_MiB(sqs: Sqs, size: str) -> None:
    """The default is the largest."""
    orders = queue(sqs)
    assert orders.attribute("MaximumMessageSize") == "1048576"
    assert orders.refused("SetQueueAttributes", Attributes={"MaximumMessageSize": size}).code == "InvalidAttributeValue"


def test_SZ_3_the_error_names_the_queues_limit(sqs: Sqs) -> None:
    """InvalidParameterValue."""
    orders = queue(sqs, MaximumMessageSize=1024)
    refusal = orders.refused("SendMessage", MessageBody="x" * 1025)
    assert refusal.code == "InvalidParameterValue"
    assert refusal.message == "One or more parameters are invalid. Reason: Message must be shorter than 1024 bytes."


def test_SZ_4_a_batch_has_up_to_a_mebibyte_in_all(sqs: Sqs) -> None:
    """Otherwise the whole request is refused, with limit and size."""
    orders = queue(sqs)
    half = "x" * (MIB // 2)
    refusal = orders.refused("SendMessageBatch", Entries=[entry(1, half), entry(2, half + "x")])
    assert refusal.code == "AWS.SimpleQueueService.BatchRequestTooLong"
    assert refusal.message == f"Batch requests cannot be longer than {MIB} bytes. You have sent {MIB + 1} bytes."
    assert failures(batch(orders, entry(1, half), entry(2, half))) == []


def test_SZ_5_the_queues_limit_is_for_each_entry(sqs: Sqs) -> None:
    """Not for their sum; an entry over it fails alone."""
    orders = queue(sqs, MaximumMessageSize=2048)
    full = entry(1, "x" * (2048 - 8), MessageAttributes={"k": TEXT})
    answer = batch(orders, full, entry(2), entry(3, "x" * 2049))
    assert failures(answer) == [("3", "InvalidParameterValue")]
    says = "One or more parameters cannot be validated. Reason: Message must be shorter than 2048 bytes."
    assert entries(listed(answer, "Failed")[0])["Message"] == says
    assert orders.counts() == (2, 0, 0)


def test_SZ_6_an_empty_body_is_no_body(sqs: Sqs) -> None:
    """MissingParameter, with the name of the parameter."""
    orders = queue(sqs)
    for parameters in ({"MessageBody": ""}, {}):
        refusal = orders.refused("SendMessage", **parameters)
        assert (refusal.code, refusal.shape) == ("MissingParameter", "MissingRequiredParameterException")
        assert refusal.message == "The request must contain the parameter MessageBody."


@pytest.mark.parametrize("legal", ["\t\n\r", "\x20\ud7ff", "\ue000\ufffd", "\U00010000\U0010ffff"])
def test_SZ_7_the_characters_that_a_body_may_have(sqs: Sqs, legal: str) -> None:
    """The ends of each range of the documentation."""
    orders = queue(sqs)
    orders.send(legal)
    assert orders.bodies() == [legal]


@pytest.mark.parametrize("code", [0x0, 0x8, 0xB, 0x1F, 0xD800, 0xDFFF, 0xFFFE, 0xFFFF])
def test_SZ_8_others_are_refused(sqs: Sqs, code: int) -> None:
    """InvalidMessageContents, as documented since September 2025; in a batch for that entry."""
    orders, illegal = queue(sqs), chr(code)
    assert orders.refused("SendMessage", MessageBody="a" + illegal).code == "InvalidMessageContents"
    assert failures(batch(orders, entry(1, illegal), entry(2))) == [("1", "InvalidMessageContents")]


@pytest.mark.parametrize("operation", ["SendMessageBatch", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"])
def test_BT_1_one_to_ten_entries(sqs: Sqs, operation: str) -> None:
    """None and eleven fail the whole request."""
    orders = queue(sqs)
    empty = orders.refused(operation, Entries=[])
    assert empty.code == "AWS.SimpleQueueService.EmptyBatchRequest"
    many = orders.refused(operation, Entries=[entry(number) for number in range(11)])
    assert many.code == "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"
    assert many.message == "Maximum number of entries per request are 10. You have sent 11."


@pytest.mark.parametrize("name", ["", "a b", "é", "a:b", "x" * 81])
def test_BT_2_entry_ids_are_words_of_up_to_80_characters(sqs: Sqs, name: str) -> None:
    """Letters, digits, hyphens, underscores."""
    orders = queue(sqs)
    refusal = orders.refused("SendMessageBatch", Entries=[{"Id": name, "MessageBody": "x"}])
    assert refusal.code == "AWS.SimpleQueueService.InvalidBatchEntryId"
    batch(orders, {"Id": "aZ-_09" + "x" * 74, "MessageBody": "x"})


def test_BT_2_entry_ids_differ(sqs: Sqs) -> None:
    """Two alike fail the request."""
    refusal = queue(sqs).refused("SendMessageBatch", Entries=[entry(1), entry(1)])
    assert refusal.code == "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"
    assert refusal.message == "Id 1 repeated."


def test_BT_3_a_bad_entry_fails_alone(sqs: Sqs) -> None:
    """The others are sent; neither list is there when it is empty."""
    orders = queue(sqs)
    answer = batch(orders, entry(1), entry(2, ""), entry(3, DelaySeconds=901))
    assert failures(answer) == [("2", "MissingParameter"), ("3", "InvalidParameterValue")]
    assert [entries(good)["Id"] for good in listed(answer, "Successful")] == ["1"]
    assert set(batch(orders, entry(1))) == {"Successful"}
    assert set(batch(orders, entry(1, ""))) == {"Failed"}


def test_BT_4_a_fifo_batch_is_enqueued_in_its_order(sqs: Sqs) -> None:
    """One group, one order."""
    orders = queue(sqs, "orders.fifo", ContentBasedDeduplication="true")
    batch(orders, *(entry(number, str(number), MessageGroupId="g") for number in range(10)))
    assert orders.bodies() == [str(number) for number in range(10)]


def test_BT_5_deletes_and_changes_are_judged_alone(sqs: Sqs) -> None:
    """One garbage handle fails, the other is served."""
    orders = queue(sqs)
    orders.send()
    handle = orders.one().handle
    given: list[dict[str, object]] = [{"Id": "good", "ReceiptHandle": handle}, {"Id": "bad", "ReceiptHandle": "x"}]
    changes = [{**one, "VisibilityTimeout": 60} for one in given]
    changed = orders.call("ChangeMessageVisibilityBatch", Entries=changes)
    deleted = orders.call("DeleteMessageBatch", Entries=given)
    for answer in (changed, deleted):
        assert listed(answer, "Successful") == [{"Id": "good"}]
        (failed,) = map(entries, listed(answer, "Failed"))
        assert (failed["Id"], failed["Code"], failed["SenderFault"]) == ("bad", "ReceiptHandleIsInvalid", True)


@pytest.mark.parametrize(
    "name", ["", "a b", "a§", "a!", "AWS.x", "aws.x", "Amazon.x", "AMAZON.x", ".a", "a.", "a..b", "x" * 257]
)
def test_AT_1_names_of_attributes(sqs: Sqs, name: str) -> None:
    """Up to 256 letters of any alphabet, digits and `_.-`, none of AWS's own, no stray periods."""
    orders = queue(sqs)
    assert (
        orders.refused("SendMessage", MessageBody="x", MessageAttributes={name: TEXT}).code == "InvalidParameterValue"
    )
    orders.send(MessageAttributes={"a.B-c_9": TEXT, "x" * 256: TEXT, "attr.1øßä": TEXT})


def test_AT_1_at_most_ten_attributes(sqs: Sqs) -> None:
    """An eleventh is refused."""
    orders = queue(sqs)
    many = {f"a{number}": TEXT for number in range(10)}
    orders.send(MessageAttributes=many)
    orders.refused("SendMessage", MessageBody="x", MessageAttributes={**many, "b": TEXT})


@pytest.mark.parametrize(
    ("value", "good"),
    [
        ({"DataType": "String.json", "StringValue": "{}"}, True),
        ({"DataType": "Binary.gif", "BinaryValue": b"\x00"}, True),
        ({"DataType": "Number.int", "StringValue": "-12"}, True),
        ({"DataType": "Number", "StringValue": "9" * 38}, True),
        ({"DataType": "Number", "StringValue": "9" * 39}, False),
        ({"DataType": "Number", "StringValue": "1e126"}, True),
        ({"DataType": "Number", "StringValue": "1e127"}, False),
        ({"DataType": "Number", "StringValue": "1E-128"}, True),
        ({"DataType": "Number", "StringValue": "1E-129"}, False),
        ({"DataType": "Number", "StringValue": "0.00"}, True),
        ({"DataType": "Number", "StringValue": "1."}, True),
        ({"DataType": "Number", "StringValue": "."}, False),
        ({"DataType": "Number", "StringValue": "world"}, False),
        ({"DataType": "Number", "StringValue": "1e" + "9" * 5000}, False),
        ({"DataType": "Number", "StringValue": "\u0661"}, False),
        ({"DataType": "Text", "StringValue": "x"}, False),
        ({"DataType": "Stringy", "StringValue": "x"}, False),
        ({"DataType": "String", "BinaryValue": b"x"}, False),
        ({"DataType": "Binary", "StringValue": "x"}, False),
        ({"DataType": "String." + "x" * 256, "StringValue": "x"}, False),
        ({"DataType": "String", "StringValue": "\x00"}, False),
        ({"StringValue": "x"}, False),
        ({"DataType": "StringList", "StringListValues": ["x"]}, False),
    ],
)
def test_AT_2_types_of_attributes(sqs: Sqs, value: dict[str, object], good: bool) -> None:  # noqa: FBT001 - a table
    """String, Number and Binary, with a label of one's own; numbers have up to 38 digits, 10⁻¹²⁸ to 10¹²⁶."""
    orders = queue(sqs)
    if good:
        orders.send(MessageAttributes={"a": value})
        shown = orders.one(MessageAttributeNames=["All"]).shown
        assert shown["MessageAttributes"] == {"a": value}
    else:
        refusal = orders.refused("SendMessage", MessageBody="x", MessageAttributes={"a": value})
        assert refusal.code == "InvalidParameterValue"


def test_AT_3_an_empty_string_is_no_value(sqs: Sqs) -> None:
    """InvalidParameterValue, in AWS's words."""
    empty = {"ErrorDetails": {"DataType": "String", "StringValue": ""}}
    refusal = queue(sqs).refused("SendMessage", MessageBody="x", MessageAttributes=empty)
    expected = "Message (user) attribute 'ErrorDetails' must contain a non-empty value of type 'String'."
    assert (refusal.code, refusal.message) == ("InvalidParameterValue", expected)


def test_AT_4_the_trace_header_is_the_only_system_attribute_to_send(sqs: Sqs) -> None:
    """It is digested on its own, and returned where it is asked for."""
    orders = queue(sqs)
    trace = {"DataType": "String", "StringValue": "Root=1-2-3"}
    answer = orders.send(MessageSystemAttributes={"AWSTraceHeader": trace})
    assert "MD5OfMessageSystemAttributes" in answer
    assert orders.one().attributes["AWSTraceHeader"] == "Root=1-2-3"
    for bad in ({"SenderId": trace}, {"AWSTraceHeader": {"DataType": "Number", "StringValue": "1"}}):
        assert (
            orders.refused("SendMessage", MessageBody="x", MessageSystemAttributes=bad).code == "InvalidParameterValue"
        )


def test_AT_5_the_digest_of_the_body(sqs: Sqs) -> None:
    """MD5 of its UTF-8, at the send and at the receive."""
    orders = queue(sqs)
    digest = hashlib.md5("é".encode(), usedforsecurity=False).hexdigest()
    assert orders.send("é")["MD5OfMessageBody"] == digest
    assert orders.one().shown["MD5OfBody"] == digest


def test_AT_6_the_digest_of_the_attributes(sqs: Sqs) -> None:
    """The algorithm of the developer guide, and two digests that AWS itself gave."""
    orders = queue(sqs)

    def sized(data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + data

    attributes = {"b": {"DataType": "Binary", "BinaryValue": b"\x01"}, "a": {"DataType": "Number", "StringValue": "1"}}
    plain = (
        sized(b"a")
        + sized(b"Number")
        + b"\x01"
        + sized(b"1")
        + sized(b"b")
        + sized(b"Binary")
        + b"\x02"
        + sized(b"\x01")
    )
    expected = hashlib.md5(plain, usedforsecurity=False).hexdigest()
    assert orders.send(MessageAttributes=attributes)["MD5OfMessageAttributes"] == expected
    known = {"General": "Kenobi", "Hello": "There", "Help.Me": "Me"}
    given = {name: {"DataType": "String", "StringValue": value} for name, value in known.items()}
    assert orders.send(MessageAttributes=given)["MD5OfMessageAttributes"] == "4c360f3fdafd970e05fae2f149d997f5"
    binary = {
        "attr1": {
            "DataType": "Binary",
            "BinaryValue": b"traceparent\x1e00-774062d6c37081a5a0b9b5b88e30627c-2d2482211f6489da-01",
        }
    }
    assert orders.send(MessageAttributes=binary)["MD5OfMessageAttributes"] == "8cbe4db156db8a94db8b801b7addb984"
    filtered = orders.receive(3, MessageAttributeNames=["Hello"])[1]
    assert filtered.shown["MD5OfMessageAttributes"] == "a311262e065454b75da111d535b8dacd"


def test_DL_1_a_queues_delay_is_0_to_15_minutes(sqs: Sqs) -> None:
    """It hides each new message at first."""
    orders = queue(sqs, DelaySeconds=900)
    orders.refused("SetQueueAttributes", Attributes={"DelaySeconds": "901"})
    orders.send()
    orders.advance(899)
    assert orders.receive() == []
    orders.advance(1)
    assert orders.one().count == 1


def test_DL_2_a_message_may_have_a_delay_of_its_own(sqs: Sqs) -> None:
    """0 to 900 seconds, instead of the queue's."""
    orders = queue(sqs, DelaySeconds=10)
    orders.send("now", DelaySeconds=0)
    orders.send("later", DelaySeconds=20)
    assert orders.bodies() == ["now"]
    orders.advance(19)
    assert orders.bodies() == []
    orders.advance(1)
    assert orders.bodies() == ["later"]
    refusal = orders.refused("SendMessage", MessageBody="x", DelaySeconds=901)
    expected = "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
    assert (refusal.code, refusal.message) == ("InvalidParameterValue", expected)


@pytest.mark.parametrize(("name", "expected"), [("orders", []), ("orders.fifo", ["a"])])
def test_DL_3_a_new_delay_is_for_new_messages_or_on_fifo_for_all(sqs: Sqs, name: str, expected: list[str]) -> None:
    """A message sent with 100 seconds, then the queue is changed to 5."""
    orders = queue(sqs, name, DelaySeconds=100, VisibilityTimeout=1000)
    (orders.put if name.endswith(".fifo") else orders.send)("a")
    orders.call("SetQueueAttributes", Attributes={"DelaySeconds": "5"})
    orders.advance(5)
    assert orders.bodies() == expected
    orders.advance(95)
    assert orders.bodies() == ([] if expected else ["a"])


def test_DL_3_a_fifo_delay_that_is_over_by_the_change_ends_at_once(sqs: Sqs) -> None:
    """And a longer one goes on."""
    orders = queue(sqs, "orders.fifo", DelaySeconds=100)
    orders.put("a")
    orders.advance(10)
    orders.call("SetQueueAttributes", Attributes={"DelaySeconds": "900"})
    orders.advance(100)
    assert orders.counts() == (0, 0, 1)
    orders.call("SetQueueAttributes", Attributes={"DelaySeconds": "60"})
    assert orders.bodies() == ["a"]


def test_DL_4_a_fifo_message_has_no_delay_of_its_own(sqs: Sqs) -> None:
    """InvalidParameterValue; in a batch for all of it."""
    orders = queue(sqs, "orders.fifo")
    given: dict[str, object] = {"MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 2}
    refusal = orders.refused("SendMessage", MessageBody="x", **given)
    assert refusal.message == (
        "Value 2 for parameter DelaySeconds is invalid."
        " Reason: The request include parameter that is not valid for this queue type."
    )
    good = {"Id": "1", "MessageBody": "x", **given, "DelaySeconds": 0}
    bad = {"Id": "2", "MessageBody": "x", **given}
    assert orders.refused("SendMessageBatch", Entries=[good, bad]).code == refusal.code


def test_DL_5_zero_is_accepted_there_and_the_queues_delay_holds(sqs: Sqs) -> None:
    """Five seconds of the queue's."""
    orders = queue(sqs, "orders.fifo", DelaySeconds=5)
    orders.put("a", DelaySeconds=0)
    assert orders.bodies() == []
    orders.advance(5)
    assert orders.bodies() == ["a"]


def test_DL_6_delayed_messages_are_counted_apart(sqs: Sqs) -> None:
    """They are not in flight."""
    orders = queue(sqs)
    orders.send(DelaySeconds=5)
    assert orders.counts() == (0, 0, 1)
    orders.advance(5)
    assert orders.counts() == (1, 0, 0)
    orders.one()
    assert orders.counts() == (0, 1, 0)

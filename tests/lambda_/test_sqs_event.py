import json
from collections.abc import Mapping

import attrs
import pytest
from aws_lambda_powertools.utilities.batch import (
    BatchProcessor,
    EventType,
    SqsFifoPartialProcessor,
    process_partial_response,  # pyright: ignore[reportUnknownVariableType] - it takes a bare Callable
)
from aws_lambda_powertools.utilities.data_classes import SQSEvent
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from hypothesis import given
from hypothesis import strategies as st

from chaosqs.lambda_.machines.partial_batch import Outcome
from chaosqs.lambda_.machines.sqs_event import Payload, Record, event, event_record, plain_record_bytes, record_bytes
from chaosqs.model.design import PAYLOAD_LIMIT
from chaosqs.model.json import Json
from chaosqs.model.message import Attribute
from chaosqs.sqs.machines.attributes import attributes_md5
from chaosqs.sqs.machines.message import message_id, receipt_handle, sequence_number
from tests.lambda_.judging import judge

ARN = "arn:aws:sqs:eu-central-1:123456789012:orders"


def record(number: int = 1, body: str = "Test message.") -> Record:
    return Record(
        message_id=message_id(number),
        receipt_handle=receipt_handle(1, number, 1),
        body=body,
        queue_arn=ARN,
        receive_count=2,
        sent_at=1_545_082_649_183,
        first_received_at=1_545_082_649_185,
        sender="AIDAIENQZJOLO23YVJ4VO",
    )


def fifo_record(number: int) -> Record:
    return attrs.evolve(
        record(number),
        queue_arn=ARN + ".fifo",
        group="g",
        deduplication_id=f"d{number}",
        sequence_number=sequence_number(number),
    )


def system_attributes(given_record: Record) -> Json:
    return event_record(given_record, window=0)["attributes"]


ATTRIBUTES: Mapping[str, Attribute] = {
    "colour": Attribute("String.shade", "blue"),
    "weight": Attribute("Number", "1.5"),
    "picture": Attribute("Binary", b"\x00\xff"),
}


def test_ER_1_to_ER_6_ER_12_ER_14_a_plain_message_has_these_fields_and_no_others() -> None:
    """A standard queue, window 0, no attributes: the record of the ledger, all attribute values strings."""
    assert event([record()], window=0) == {
        "Records": [
            {
                "messageId": message_id(1),
                "receiptHandle": receipt_handle(1, 1, 1),
                "body": "Test message.",
                "attributes": {
                    "ApproximateReceiveCount": "2",
                    "SentTimestamp": "1545082649183",
                    "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                    "ApproximateFirstReceiveTimestamp": "1545082649185",
                },
                "messageAttributes": {},
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "eventSource": "aws:sqs",
                "eventSourceARN": ARN,
                "awsRegion": "eu-central-1",
            }
        ]
    }


@pytest.mark.parametrize("window", [0, 1])
def test_ER_11_ER_13_message_attributes_have_their_value_their_type_and_two_empty_lists(window: int) -> None:
    """Text stands in `stringValue`, bytes in Base64 in `binaryValue`; the digest is there at any window."""
    built = event_record(attrs.evolve(record(), attributes=ATTRIBUTES, attributes_digest="f00d"), window=window)
    empty: dict[str, Json] = {"stringListValues": [], "binaryListValues": []}
    assert built["messageAttributes"] == {
        "colour": {"stringValue": "blue", "dataType": "String.shade", **empty},
        "weight": {"stringValue": "1.5", "dataType": "Number", **empty},
        "picture": {"binaryValue": "AP8=", "dataType": "Binary", **empty},
    }
    assert built["md5OfMessageAttributes"] == "f00d"


def test_AT_6_the_digest_of_attributes_is_computed_where_it_is_not_given() -> None:
    """It is that of SQS's answer to the send."""
    built = event_record(attrs.evolve(record(), attributes=ATTRIBUTES), window=0)
    assert built["md5OfMessageAttributes"] == attributes_md5(ATTRIBUTES)


def test_ER_13_without_attributes_the_digest_is_absent_or_null_by_the_window() -> None:
    """Recorded on AWS: no field at window 0, and null at a window of 1 s or more."""
    assert "md5OfMessageAttributes" not in event_record(record(), window=0)
    assert event_record(record(), window=1)["md5OfMessageAttributes"] is None


def test_ER_8_ER_9_a_fifo_message_has_its_group_deduplication_id_and_sequence_number() -> None:
    """All three are there, as strings."""
    assert system_attributes(fifo_record(3)) == {
        "ApproximateReceiveCount": "2",
        "SentTimestamp": "1545082649183",
        "SequenceNumber": "18850000000000000768",
        "MessageGroupId": "g",
        "SenderId": "AIDAIENQZJOLO23YVJ4VO",
        "MessageDeduplicationId": "d3",
        "ApproximateFirstReceiveTimestamp": "1545082649185",
    }


@pytest.mark.parametrize(
    ("given_record", "name", "value"),
    [
        pytest.param(attrs.evolve(record(), group="tenant"), "MessageGroupId", "tenant", id="FQ_2_fair_queue"),
        pytest.param(attrs.evolve(record(), trace_header="Root=1-5"), "AWSTraceHeader", "Root=1-5", id="AT_4_trace"),
        pytest.param(attrs.evolve(record(), dead_letter_source_arn=ARN), "DeadLetterQueueSourceArn", ARN, id="DLQ_8"),
    ],
)
def test_ER_7_ER_8_ER_10_some_attributes_are_there_only_when_set(given_record: Record, name: str, value: str) -> None:
    """A group on a standard queue, a trace header, the queue that a message was dead-lettered from."""
    plain, more = system_attributes(record()), system_attributes(given_record)
    assert isinstance(plain, dict)
    assert more == {**plain, name: value}


# Sizes


def ascii_json(records: list[Record], window: int) -> str:
    return json.dumps(event(records, window=window), separators=(",", ":"))


@given(st.lists(st.text(max_size=20), max_size=4), st.sampled_from([0, 1]))
def test_EP_8_the_payload_is_counted_as_it_is_written(bodies: list[str], window: int) -> None:
    """Envelope, metadata and commas count: the sum of the parts is the length of the event's compact JSON."""
    records = [attrs.evolve(record(index, body), attributes=ATTRIBUTES) for index, body in enumerate(bodies)]
    sizes = [record_bytes(each, window=window) for each in records]
    payload = Payload()
    for size in sizes:
        payload.add(size)
    assert payload.size == len(ascii_json(records, window).encode())


@pytest.mark.parametrize(("body", "more"), [("a", 0), ('"', 1), ("\n", 1), ("é", 5), ("😀", 11)])
def test_EP_9_escapes_inflate_a_body(body: str, more: int) -> None:
    """A quotation mark takes two bytes, a letter beyond ASCII six, one beyond the basic plane twelve."""
    assert record_bytes(record(body=body), window=0) == record_bytes(record(body="a"), window=0) + more


def test_EP_9_a_plain_message_is_sized_without_its_body() -> None:
    """The overhead of a message of a workload is that of a record of the same shape."""
    workload = attrs.evolve(record(body="x" * 5_000), queue_arn="arn:aws:sqs:us-east-1:123456789012:queue")
    assert plain_record_bytes(5_000) == record_bytes(workload, window=0)


@pytest.mark.parametrize(("body", "fitting"), [(256 * 1024, 23), (1024 * 1024, 5), (128 * 1024, 47)])
def test_EP_9_A9_so_many_messages_fit_into_6_MB(body: int, fitting: int) -> None:
    """Exactly 23 messages of 256 KB, and 5 of 1 MiB: one more would be over the limit."""
    payload, size = Payload(), plain_record_bytes(body)
    while payload.fits(size):
        payload.add(size)
    assert payload.records == fitting
    assert payload.size <= PAYLOAD_LIMIT < payload.size + size + 1


def test_EP_4_a_payload_of_exactly_the_limit_fits() -> None:
    """6,291,456 bytes may be sent, and not one more."""
    payload = Payload()
    payload.add(1_000_000)
    rest = PAYLOAD_LIMIT - payload.size - len(",")
    assert (payload.fits(rest), payload.fits(rest + 1)) == (True, False)


def test_EP_4_the_first_message_always_fits() -> None:
    """A batch is never empty for the sake of the limit."""
    assert Payload().fits(PAYLOAD_LIMIT)


# Powertools for AWS Lambda, which many handlers are written with


def handle(record: SQSRecord) -> str:
    if "bad" in record.body:
        raise ValueError(record.body)
    return record.body


def process(processor: BatchProcessor, records: list[Record]) -> object:
    return process_partial_response(event=event(records, window=0), record_handler=handle, processor=processor)


def test_ER_1_to_ER_14_powertools_reads_every_field() -> None:
    """`SQSEvent` finds in our event what it finds in AWS's."""
    sent = attrs.evolve(fifo_record(1), attributes=ATTRIBUTES, dead_letter_source_arn=ARN, trace_header="Root=1-5")
    (read,) = SQSEvent(event([sent], window=0)).records
    assert (read.message_id, read.receipt_handle, read.body) == (sent.message_id, sent.receipt_handle, sent.body)
    assert (read.md5_of_body, read.aws_region) == ("e4e68fb7bd0e697a0ae8f1bb342846b3", "eu-central-1")
    assert (read.event_source, read.event_source_arn) == ("aws:sqs", ARN + ".fifo")
    system = read.attributes
    assert (system.approximate_receive_count, system.sent_timestamp) == ("2", "1545082649183")
    assert (system.message_group_id, system.message_deduplication_id) == ("g", "d1")
    assert (system.sequence_number, system.aws_trace_header) == ("18850000000000000256", "Root=1-5")
    assert (system.sender_id, system.dead_letter_queue_source_arn) == ("AIDAIENQZJOLO23YVJ4VO", ARN)
    colour, picture = read.message_attributes["colour"], read.message_attributes["picture"]
    assert colour is not None
    assert picture is not None
    assert (colour.string_value, colour.data_type, picture.binary_value) == ("blue", "String.shade", "AP8=")


def test_PB_powertools_reports_the_message_that_failed() -> None:
    """A handler built on `BatchProcessor` leaves exactly the failed message in the queue."""
    records = [record(1), record(2, "bad"), record(3)]
    answer = process(BatchProcessor(event_type=EventType.SQS), records)
    names = [each.message_id for each in records]
    assert judge(answer, names, reporting=True) == Outcome(all_failed=False, failed=(names[1],), rule="10.3")


def test_PB_1_powertools_reports_nothing_where_nothing_failed() -> None:
    """Its empty list means that all are deleted."""
    assert judge(process(BatchProcessor(event_type=EventType.SQS), [record()]), ["x"], reporting=True).rule == "PB-1"


def test_PB_15_powertools_lists_the_rest_of_a_fifo_batch() -> None:
    """`SqsFifoPartialProcessor` stops at the first failure, so that the order of the group is kept."""
    records = [fifo_record(1), attrs.evolve(fifo_record(2), body="bad"), fifo_record(3)]
    answer = process(SqsFifoPartialProcessor(), records)
    names = [each.message_id for each in records]
    assert judge(answer, names, reporting=True).failed == (names[1], names[2])

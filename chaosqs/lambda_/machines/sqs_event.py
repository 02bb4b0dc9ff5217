"""The event of one invocation: a batch of messages as Lambda hands it to the function, and its size.

The table of fields is §10.9 of the behaviour ledger (ER-1 … ER-14). It leaves the order of the keys open; here it is
that of the examples in Lambda's Developer Guide.
"""

import json
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import TypeAlias

import attrs

from chaosqs.model.design import PAYLOAD_LIMIT
from chaosqs.model.json import Json
from chaosqs.model.message import Attribute, Attributes
from chaosqs.sqs.machines.attributes import attributes_md5, body_md5

Event: TypeAlias = dict[str, Json]

_EMPTY_EVENT = len('{"Records":[]}')
_COMMA = 1
_NO_ATTRIBUTES: Attributes = {}


@attrs.frozen
class Record:
    """One message of a batch, as the poller received it; times in milliseconds since the epoch."""

    message_id: str
    receipt_handle: str
    body: str
    queue_arn: str
    receive_count: int
    """Number of receives, including this one."""
    sent_at: int
    first_received_at: int
    sender: str
    """Principal id of the sender."""
    attributes: Attributes = _NO_ATTRIBUTES
    """Message attributes that the sender gave."""
    group: str = ""
    """Message group id: on FIFO always, on standard queues if the sender gave one (fair queues, FQ-2); or empty."""
    deduplication_id: str = ""
    """FIFO only, or empty."""
    sequence_number: str = ""
    """FIFO only, or empty."""
    trace_header: str = ""
    """`AWSTraceHeader`, or empty (AT-4)."""
    dead_letter_source_arn: str = ""
    """ARN of the queue that the message was dead-lettered from, or empty (DLQ-8)."""
    body_digest: str = ""
    """MD5 of the body; computed if empty (AT-5)."""
    attributes_digest: str = ""
    """MD5 of the attributes; computed if empty (AT-6)."""


def event(records: Iterable[Record], *, window: int) -> Event:
    """Return the event for a batch, in its order (EP-12); `window`: the mapping's batching window in seconds."""
    return {"Records": [event_record(record, window=window) for record in records]}


def event_record(record: Record, *, window: int) -> Event:
    """Return the event's record of one message."""
    return {
        "messageId": record.message_id,
        "receiptHandle": record.receipt_handle,
        "body": record.body,
        "attributes": _system_attributes(record),
        "messageAttributes": {name: _message_attribute(value) for name, value in record.attributes.items()},
        **_attributes_digest(record, window),
        "md5OfBody": record.body_digest or body_md5(record.body),
        "eventSource": "aws:sqs",
        "eventSourceARN": record.queue_arn,
        "awsRegion": record.queue_arn.split(":")[3],
    }


def _system_attributes(record: Record) -> Event:
    """Return the attributes that SQS gives, all of them strings; those without a value are left out."""
    attributes: Mapping[str, str] = {
        "ApproximateReceiveCount": str(record.receive_count),
        "AWSTraceHeader": record.trace_header,
        "SentTimestamp": str(record.sent_at),
        "SequenceNumber": record.sequence_number,
        "MessageGroupId": record.group,
        "SenderId": record.sender,
        "MessageDeduplicationId": record.deduplication_id,
        "ApproximateFirstReceiveTimestamp": str(record.first_received_at),
        "DeadLetterQueueSourceArn": record.dead_letter_source_arn,
    }
    return {name: value for name, value in attributes.items() if value}


def _message_attribute(attribute: Attribute) -> Event:
    value = attribute.value
    held: Event = {"binaryValue": b64encode(value).decode()} if isinstance(value, bytes) else {"stringValue": value}
    return {**held, "stringListValues": [], "binaryListValues": [], "dataType": attribute.data_type}


def _attributes_digest(record: Record, window: int) -> Event:
    """Return the digest. Without attributes it is absent at window 0 and null at a longer one, as recorded on AWS."""
    if record.attributes:
        return {"md5OfMessageAttributes": record.attributes_digest or attributes_md5(record.attributes)}
    return {"md5OfMessageAttributes": None} if window else {}


# Sizes ----------------------------------------------------------------------------------------------------------------


def record_bytes(record: Record, *, window: int) -> int:
    """Return the bytes that a message takes in the payload, including its metadata (EP-8) and JSON escapes (EP-9).

    Assumed: compact JSON in ASCII, so that any other character takes six bytes or twelve, and a quotation mark two.
    """
    return _json_bytes(event_record(record, window=window))


@attrs.define
class Payload:
    """The size of an event that is being gathered; adding a message takes constant time."""

    size: int = _EMPTY_EVENT
    """Bytes so far."""
    records: int = 0

    def fits(self, size: int) -> bool:
        """Return True if a record of `size` bytes fits under the limit; the first one always does (EP-4)."""
        return not self.records or self._with(size) <= PAYLOAD_LIMIT

    def add(self, size: int) -> None:
        """Count a record of `size` bytes."""
        self.size = self._with(size)
        self.records += 1

    def _with(self, size: int) -> int:
        return self.size + size + (_COMMA if self.records else 0)


def plain_record_bytes(body_bytes: int) -> int:
    """Return the payload bytes of a message without attributes, for a body of ASCII that needs no escape."""
    return _PLAIN_OVERHEAD + body_bytes


def _json_bytes(document: Json) -> int:
    return len(json.dumps(document, separators=(",", ":")))


_PLAIN_OVERHEAD = record_bytes(
    Record(
        message_id="-" * 36,
        receipt_handle="-" * 260,
        body="",
        queue_arn="arn:aws:sqs:us-east-1:123456789012:queue",
        receive_count=1,
        sent_at=1_700_000_000_000,
        first_received_at=1_700_000_000_000,
        sender="-" * 21,
    ),
    window=0,
)

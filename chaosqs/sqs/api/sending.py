"""SendMessage and SendMessageBatch: message contents, read and checked; and the checks that all batches share."""

import re
from collections.abc import Callable, Mapping, Sequence

import attrs

from chaosqs.model.message import (
    BAD_CHARACTERS,
    ILLEGAL_CHARACTERS,
    MOST_ATTRIBUTES,
    Attribute,
    content_bytes,
    is_id,
    name_problem,
    value_problem,
)
from chaosqs.sqs.api.parameters import (
    ApiError,
    Parameters,
    error,
    integer,
    invalid,
    invalid_value,
    missing,
    sequence,
    structure,
    text,
)
from chaosqs.sqs.api.region import QueueResource, Region, admit, check_key
from chaosqs.sqs.machines.attributes import SENDER, Content, attributes_md5, body_md5, body_sha256
from chaosqs.sqs.machines.message import Message, message_id, sequence_number

MOST_BYTES = 1_048_576
"""Maximum bytes of a message or of a batch (SZ-1, SZ-4)."""


def read_content(parameters: Parameters, prefix: str = "") -> Content:
    """Return the contents that a send asks for; raise `ApiError` for invalid ones. Their size is not checked."""
    body = text(parameters, "MessageBody")
    if not body:
        raise missing(f"{prefix}MessageBody")  # SZ-6
    if ILLEGAL_CHARACTERS.search(body):
        raise error("InvalidMessageContents", BAD_CHARACTERS)  # SZ-7, SZ-8
    attributes = _attributes(structure(parameters.get("MessageAttributes")))
    trace = _trace_header(structure(parameters.get("MessageSystemAttributes")))
    return Content(
        body,
        attributes,
        trace,
        SENDER,
        body_md5=body_md5(body),
        attributes_md5=attributes_md5(attributes),
        size=content_bytes(body, attributes),
    )


def measure(parameters: Parameters) -> int:
    """Return the bytes of a batch entry as far as they can be counted, even if the entry is invalid (SZ-4)."""
    total = len((text(parameters, "MessageBody") or "").encode("utf-8", "surrogatepass"))
    for name, given in structure(parameters.get("MessageAttributes")).items():
        value = structure(given)
        parts = (name, value.get("DataType"), value.get("StringValue"), value.get("BinaryValue"))
        total += sum(
            len(part.encode() if isinstance(part, str) else part) for part in parts if isinstance(part, str | bytes)
        )
    return total


def too_long(limit: int, *, entry: bool) -> ApiError:
    """Return the error for a message, or an entry of a batch, over the queue's limit (SZ-3, SZ-5)."""
    found = "cannot be validated" if entry else "are invalid"
    return invalid(f"One or more parameters {found}. Reason: Message must be shorter than {limit} bytes.")


def system_attributes_md5(content: Content) -> str:
    """Return the MD5 of the system attributes that the sender set, or an empty string (AT-6)."""
    return attributes_md5({"AWSTraceHeader": Attribute("String", content.trace_header)}) if content.trace_header else ""


def _attributes(given: Mapping[str, object]) -> dict[str, Attribute]:
    if len(given) > MOST_ATTRIBUTES:  # AT-1
        raise invalid(f"Number of message attributes [{len(given)}] exceeds the allowed maximum [{MOST_ATTRIBUTES}].")
    return {name: _attribute(name, structure(value)) for name, value in given.items()}


def _attribute(name: str, given: Parameters) -> Attribute:
    _refuse(name_problem(name))
    if given.get("StringListValues") or given.get("BinaryListValues"):
        raise invalid("Message attribute list values in SendMessage operation are not supported.")
    data_type = text(given, "DataType") or ""
    value: object = given.get("BinaryValue" if data_type.partition(".")[0] == "Binary" else "StringValue")
    _refuse(value_problem(name, data_type, value))
    assert isinstance(value, str | bytes)
    return Attribute(data_type, value)


def _refuse(problem: str) -> None:
    if problem:
        raise invalid(problem)


def _trace_header(given: Parameters) -> str:
    for name in given:
        if name != "AWSTraceHeader":  # AT-4
            raise invalid(f"Message system attribute name '{name}' is invalid.")
    header = structure(given.get("AWSTraceHeader"))
    if not header:
        return ""
    if text(header, "DataType") != "String" or not text(header, "StringValue"):
        raise invalid("Message (system) attribute 'AWSTraceHeader' must contain a non-empty value of type 'String'.")
    return text(header, "StringValue") or ""


# Batches of all actions: one to ten entries with distinct ids, each judged alone (BT-1 … BT-5) ------------------------

_MOST = 10
_ID = re.compile(r"[A-Za-z0-9_-]{1,80}")


def check_batch(parameters: Parameters, kind: str) -> list[Parameters]:
    """Return the entries of a batch; raise the error that fails the whole request."""
    entries = [structure(entry) for entry in sequence(parameters, "Entries")]
    if not entries:
        raise error("EmptyBatchRequest", f"There should be at least one {kind} in the request.")
    if len(entries) > _MOST:
        message = f"Maximum number of entries per request are {_MOST}. You have sent {len(entries)}."
        raise error("TooManyEntriesInBatchRequest", message)
    seen: dict[str, None] = {}
    for index, entry in enumerate(entries, start=1):
        name = text(entry, "Id")
        if name is None:
            raise missing(f"{kind}.{index}.Id")
        if not _ID.fullmatch(name):
            raise error(
                "InvalidBatchEntryId",
                "A batch entry id can only contain alphanumeric characters, hyphens and underscores."
                " It can be at most 80 letters long.",
            )
        if name in seen:
            raise error("BatchEntryIdsNotDistinct", f"Id {name} repeated.")
        seen[name] = None
    return entries


def by_entry(entries: Sequence[Parameters], one: Callable[[int, Parameters], dict[str, object]]) -> dict[str, object]:
    """Carry out each entry, counted from 1; an entry that raises `ApiError` becomes one of `Failed`."""
    successful: list[dict[str, object]] = []
    failed: list[dict[str, object]] = []
    for index, entry in enumerate(entries, start=1):
        try:
            successful.append({"Id": entry["Id"], **one(index, entry)})
        except ApiError as refused:
            failed.append(_failure(entry["Id"], refused))
    return {key: found for key, found in (("Successful", successful), ("Failed", failed)) if found}


def _failure(name: object, refused: ApiError) -> dict[str, object]:
    return {"Id": name, "SenderFault": refused.sender_fault, "Code": refused.code, "Message": refused.message}


# Sending --------------------------------------------------------------------------------------------------------------

_LONGEST_DELAY = 900
_WRONG_TYPE = "The request include parameter that is not valid for this queue type."


@attrs.frozen(eq=False)
class Order:
    """A checked send."""

    content: Content
    group: str
    delay: int | None
    """Milliseconds, or None: the queue's (DL-2)."""


def send_message(region: Region, parameters: Parameters) -> dict[str, object]:
    """Send one message."""
    resource = region.find(parameters)
    admit(region, resource, "SendMessage")
    check_key(region, resource)
    order = _order(resource, parameters)
    result = _carry_out(region, resource, order)
    region.service_of(resource).serve(resource.state)
    return result


def send_message_batch(region: Region, parameters: Parameters) -> dict[str, object]:
    """Send up to ten messages in the order of the request (BT-4); each may fail alone (BT-3)."""
    resource = region.find(parameters)
    admit(region, resource, "SendMessage")
    entries = check_batch(parameters, "SendMessageBatchRequestEntry")
    total = sum(measure(entry) for entry in entries)
    if total > MOST_BYTES:  # SZ-4
        raise error(
            "BatchRequestTooLong",
            f"Batch requests cannot be longer than {MOST_BYTES} bytes. You have sent {total} bytes.",
        )
    check_key(region, resource)
    if resource.fifo:
        _check_fifo_batch(resource, entries)
    service = region.service_of(resource)

    def one(index: int, entry: Parameters) -> dict[str, object]:
        order = _order(resource, entry, f"SendMessageBatchRequestEntry.{index}.")
        return _carry_out(region, resource, order)

    result = by_entry(entries, one)
    service.serve(resource.state)
    return result


def _check_fifo_batch(resource: QueueResource, entries: list[Parameters]) -> None:
    """Raise the error of the first entry with invalid FIFO parameters: it fails the whole request (FF-2, BT-3).

    Assumed: nothing of the batch is enqueued then, and a delay (DL-4) counts as such a parameter.
    """
    for entry in entries:
        if not text(entry, "MessageGroupId"):
            raise invalid("The request must contain the parameter MessageGroupId.")
        _check_ids(resource, entry)
        _check_delay(resource, entry)


def _order(resource: QueueResource, parameters: Parameters, prefix: str = "") -> Order:
    """Check a send and return it. Nothing is changed, so a refused request has no effect."""
    content = read_content(parameters, prefix)
    if content.size > resource.state.queue.maximum_message_size:  # SZ-3; each entry of a batch on its own: SZ-5
        raise too_long(resource.state.queue.maximum_message_size, entry=bool(prefix))
    group = text(parameters, "MessageGroupId") or ""
    if resource.fifo and not group:
        raise missing("MessageGroupId")  # FF-2
    deduplication_id = _check_ids(resource, parameters)
    delay = _check_delay(resource, parameters)
    if resource.fifo:
        deduplication_id = deduplication_id or body_sha256(content.body)  # FF-3, FF-4
        content = attrs.evolve(content, deduplication_id=deduplication_id)
    return Order(content, group, delay)


def _check_ids(resource: QueueResource, parameters: Parameters) -> str:
    """Return the deduplication id, or an empty string; raise `ApiError` if it or the group id is invalid."""
    deduplication_id = text(parameters, "MessageDeduplicationId")
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        value = text(parameters, name)
        if value is not None and not is_id(value):  # FQ-1, FF-2, FF-3
            reason = f"{name} can only include alphanumeric and punctuation characters. 1 to 128 in length."
            raise invalid_value(value, name, reason)
    if not resource.fifo and deduplication_id is not None:
        raise invalid_value(deduplication_id, "MessageDeduplicationId", _WRONG_TYPE)
    if resource.fifo and not deduplication_id and not resource.state.queue.content_based_deduplication:
        raise invalid(
            "The queue should either have ContentBasedDeduplication enabled"
            " or MessageDeduplicationId provided explicitly"
        )
    return deduplication_id or ""


def _check_delay(resource: QueueResource, parameters: Parameters) -> int | None:
    delay = integer(parameters, "DelaySeconds")
    if delay is None:
        return None
    if not 0 <= delay <= _LONGEST_DELAY:  # DL-2
        raise invalid_value(delay, "DelaySeconds", f"DelaySeconds must be >= 0 and <= {_LONGEST_DELAY}.")
    if not resource.fifo:
        return delay * 1000
    if delay:  # DL-4; with 0 the queue's delay still applies (DL-5)
        raise invalid_value(delay, "DelaySeconds", _WRONG_TYPE)
    return None


def _carry_out(region: Region, resource: QueueResource, order: Order) -> dict[str, object]:
    now, content = region.now, order.content
    result: dict[str, object] = {"MD5OfMessageBody": content.body_md5}
    if content.attributes_md5:
        result["MD5OfMessageAttributes"] = content.attributes_md5
    if content.trace_header:
        result["MD5OfMessageSystemAttributes"] = system_attributes_md5(content)
    if resource.fifo:
        known = resource.ordered.duplicate(order.group, content.deduplication_id, now=now)
        if known is not None:  # FF-6
            return result | {"MessageId": message_id(known.message), "SequenceNumber": sequence_number(known.index)}
    message = Message(region.accounts.numbers.take(), content.size, now, group=order.group, content=content)
    region.service_of(resource).put(resource.state, message, delay=order.delay)
    result["MessageId"] = message_id(message.number)
    if resource.fifo:
        resource.ordered.remember(message, content.deduplication_id, now=now)
        result["SequenceNumber"] = sequence_number(message.index)
    return result

"""SendMessage and SendMessageBatch."""

from __future__ import annotations

import string

import attrs

from chaosqs.machine.attributes import Content, body_sha256
from chaosqs.machine.identity import message_id, sequence_number
from chaosqs.machine.message import Message
from chaosqs.simulator.operations.batches import by_entry, check_batch
from chaosqs.simulator.operations.contents import MOST_BYTES, measure, read_content, system_attributes_md5, too_long
from chaosqs.simulator.operations.errors import error, invalid, invalid_value, missing
from chaosqs.simulator.operations.hosted import Hosted
from chaosqs.simulator.operations.parameters import Parameters, integer, text
from chaosqs.simulator.operations.region import Region
from chaosqs.simulator.operations.throttling import admit, check_key

_LONGEST_ID = 128
_ID_CHARACTERS = frozenset(string.ascii_letters + string.digits + string.punctuation)
_LONGEST_DELAY = 900
_WRONG_TYPE = "The request include parameter that is not valid for this queue type."


@attrs.frozen(eq=False)
class Order:
    """A send that was checked and may be carried out."""

    content: Content
    group: str
    delay: int | None
    """Milliseconds, or None: the queue's (DL-2)."""


def send_message(region: Region, parameters: Parameters) -> dict[str, object]:
    """Send one message."""
    hosted = region.find(parameters)
    admit(region, hosted, "SendMessage")
    check_key(region, hosted)
    order = _order(hosted, parameters)
    result = _carry_out(region, hosted, order)
    region.service_of(hosted).serve(hosted.line)
    return result


def send_message_batch(region: Region, parameters: Parameters) -> dict[str, object]:
    """Send up to ten messages in the order of the request (BT-4); each may fail alone (BT-3)."""
    hosted = region.find(parameters)
    admit(region, hosted, "SendMessage")
    entries = check_batch(parameters, "SendMessageBatchRequestEntry")
    total = sum(measure(entry) for entry in entries)
    if total > MOST_BYTES:  # SZ-4
        raise error(
            "BatchRequestTooLong",
            f"Batch requests cannot be longer than {MOST_BYTES} bytes. You have sent {total} bytes.",
        )
    check_key(region, hosted)
    if hosted.fifo:
        _check_fifo_batch(hosted, entries)
    service = region.service_of(hosted)

    def one(place: int, entry: Parameters) -> dict[str, object]:
        order = _order(hosted, entry, f"SendMessageBatchRequestEntry.{place}.")
        return _carry_out(region, hosted, order)

    result = by_entry(entries, one)
    service.serve(hosted.line)
    return result


def _check_fifo_batch(hosted: Hosted, entries: list[Parameters]) -> None:
    """Raise what is wrong with the FIFO parameters of any entry: it fails the whole request (FF-2, BT-3).

    Assumed: nothing of the batch is enqueued then, and a delay (DL-4) counts as such a parameter.
    """
    for entry in entries:
        if not text(entry, "MessageGroupId"):
            raise invalid("The request must contain the parameter MessageGroupId.")
        _check_ids(hosted, entry)
        _check_delay(hosted, entry)


def _order(hosted: Hosted, parameters: Parameters, prefix: str = "") -> Order:
    """Check a send and return it; nothing has happened yet, so that a refused request changes nothing."""
    content = read_content(parameters, prefix)
    if content.size > hosted.line.queue.maximum_message_size:  # SZ-3; each entry of a batch on its own: SZ-5
        raise too_long(hosted.line.queue.maximum_message_size)
    group = text(parameters, "MessageGroupId") or ""
    if hosted.fifo and not group:
        raise missing("MessageGroupId")  # FF-2
    deduplication_id = _check_ids(hosted, parameters)
    delay = _check_delay(hosted, parameters)
    if hosted.fifo:
        deduplication_id = deduplication_id or body_sha256(content.body)  # FF-3, FF-4
        content = attrs.evolve(content, deduplication_id=deduplication_id)
    return Order(content, group, delay)


def _check_ids(hosted: Hosted, parameters: Parameters) -> str:
    """Return the deduplication id, or an empty string; raise what is wrong with it or with the group id."""
    deduplication_id = text(parameters, "MessageDeduplicationId")
    for name in ("MessageGroupId", "MessageDeduplicationId"):
        value = text(parameters, name)
        if value is not None and not _is_id(value):  # FQ-1, FF-2, FF-3
            reason = f"{name} can only include alphanumeric and punctuation characters. 1 to 128 in length."
            raise invalid_value(value, name, reason)
    if not hosted.fifo and deduplication_id is not None:
        raise invalid_value(deduplication_id, "MessageDeduplicationId", _WRONG_TYPE)
    if hosted.fifo and not deduplication_id and not hosted.line.queue.content_based_deduplication:
        raise invalid(
            "The queue should either have ContentBasedDeduplication enabled"
            " or MessageDeduplicationId provided explicitly"
        )
    return deduplication_id or ""


def _is_id(value: str) -> bool:
    return 1 <= len(value) <= _LONGEST_ID and _ID_CHARACTERS.issuperset(value)


def _check_delay(hosted: Hosted, parameters: Parameters) -> int | None:
    delay = integer(parameters, "DelaySeconds")
    if delay is None:
        return None
    if not 0 <= delay <= _LONGEST_DELAY:  # DL-2
        raise invalid_value(delay, "DelaySeconds", f"DelaySeconds must be >= 0 and <= {_LONGEST_DELAY}.")
    if not hosted.fifo:
        return delay * 1000
    if delay:  # DL-4; with 0 the queue's delay holds still (DL-5)
        raise invalid_value(delay, "DelaySeconds", _WRONG_TYPE)
    return None


def _carry_out(region: Region, hosted: Hosted, order: Order) -> dict[str, object]:
    now, content = region.now, order.content
    result: dict[str, object] = {"MD5OfMessageBody": content.body_md5}
    if content.attributes_md5:
        result["MD5OfMessageAttributes"] = content.attributes_md5
    if content.trace_header:
        result["MD5OfMessageSystemAttributes"] = system_attributes_md5(content)
    if hosted.fifo:
        known = hosted.ordered.duplicate(order.group, content.deduplication_id, now=now)
        if known is not None:  # FF-6
            return result | {"MessageId": message_id(known.message), "SequenceNumber": sequence_number(known.place)}
    message = Message(region.world.numbers.take(), content.size, now, group=order.group, content=content)
    region.service_of(hosted).put(hosted.line, message, delay=order.delay)
    result["MessageId"] = message_id(message.number)
    if hosted.fifo:
        hosted.ordered.remember(message, content.deduplication_id, now=now)
        result["SequenceNumber"] = sequence_number(message.place)
    return result

"""A received message as ReceiveMessage shows it: only what was asked for (RX-11, RX-12)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs

from chaosqs.machine.attributes import Attributes, Content, attributes_md5, body_md5
from chaosqs.machine.identity import message_id, receipt_handle, sequence_number
from chaosqs.machine.message import Message, Receipt, body_of
from chaosqs.simulator.operations.addresses import Address
from chaosqs.simulator.operations.contents import SENDER
from chaosqs.simulator.operations.errors import error
from chaosqs.simulator.operations.hosted import Hosted
from chaosqs.simulator.operations.queue_attributes import NAMES as QUEUE_ATTRIBUTES

_SystemAttribute = Callable[[Hosted, Message, int], str]


def _content(message: Message) -> Content:
    return message.content or _EMPTY


_EMPTY = Content("", {}, sender=SENDER)

SYSTEM_ATTRIBUTES: Mapping[str, _SystemAttribute] = {
    "SenderId": lambda _, message, __: _content(message).sender,
    "SentTimestamp": lambda _, message, epoch: str(epoch + message.sent_at),  # RX-9
    "ApproximateReceiveCount": lambda _, message, __: str(message.receive_count),  # RX-7
    "ApproximateFirstReceiveTimestamp": lambda _, message, epoch: str(epoch + (message.first_received_at or 0)),
    "SequenceNumber": lambda hosted, message, _: sequence_number(message.place) if hosted.fifo else "",
    "MessageDeduplicationId": lambda _, message, __: _content(message).deduplication_id,
    "MessageGroupId": lambda _, message, __: message.group,  # FQ-2
    "AWSTraceHeader": lambda _, message, __: _content(message).trace_header,
    "DeadLetterQueueSourceArn": lambda hosted, message, _: _source(hosted, message),  # DLQ-8
}
"""The system attributes (RX-11); what is empty is left out."""


@attrs.frozen
class Wanted:
    """Which attributes a receive asks for."""

    system: tuple[str, ...]
    names: frozenset[str]
    prefixes: tuple[str, ...]

    def user(self, attributes: Attributes) -> Attributes:
        """Return the message attributes that are asked for."""
        if not self.names and not self.prefixes:
            return {}
        if "" in self.prefixes:
            return attributes
        return {
            name: value
            for name, value in attributes.items()
            if name in self.names or name.startswith(self.prefixes or ("\0",))
        }


def wanted(system: Sequence[str], user: Sequence[str]) -> Wanted:
    """Return what a receive asks for; raise InvalidAttributeName for a system attribute that does not exist."""
    for name in system:
        if name not in SYSTEM_ATTRIBUTES and name not in QUEUE_ATTRIBUTES and name != "All":
            raise error("InvalidAttributeName", f"Unknown Attribute {name}.")
    names = tuple(SYSTEM_ATTRIBUTES) if "All" in system else tuple(name for name in SYSTEM_ATTRIBUTES if name in system)
    prefixes = tuple(name.removesuffix(".*").removesuffix("*") for name in user if name.endswith(".*"))
    return Wanted(names, frozenset(user), ("",) if "All" in user else prefixes)


def present(hosted: Hosted, receipt: Receipt, wanted: Wanted, epoch: int) -> dict[str, object]:
    """Return a message in botocore's shape."""
    message, content = receipt.message, receipt.message.content
    body = body_of(message)
    shown: dict[str, object] = {
        "MessageId": message_id(message.number),
        "ReceiptHandle": receipt_handle(hosted.number, message.number, receipt.number),
        "MD5OfBody": body_md5(body) if content is None else content.body_md5,
        "Body": body,
    }
    system = {name: value for name in wanted.system if (value := SYSTEM_ATTRIBUTES[name](hosted, message, epoch))}
    if system:
        shown["Attributes"] = system
    attributes = wanted.user((content or _EMPTY).attributes)
    if attributes:
        shown["MD5OfMessageAttributes"] = attributes_md5(attributes)
        shown["MessageAttributes"] = {
            name: {
                ("BinaryValue" if isinstance(value.value, bytes) else "StringValue"): value.value,
                "DataType": value.data_type,
            }
            for name, value in attributes.items()
        }
    return shown


def _source(hosted: Hosted, message: Message) -> str:
    return Address(hosted.address.region, hosted.address.account, message.source).arn if message.source else ""

"""The Lambda event of a batch, made from the messages that a poller has received."""

from chaosqs.lambda_.invocation import Request
from chaosqs.lambda_.machines.sqs_event import Event, Record, event
from chaosqs.sqs.api.parameters import Address
from chaosqs.sqs.api.region import QueueResource
from chaosqs.sqs.machines.attributes import SENDER, Content
from chaosqs.sqs.machines.message import Receipt, body_of, message_id, receipt_handle, sequence_number

_EMPTY = Content("", {}, sender=SENDER)


def batch_event(request: Request, resource: QueueResource, epoch: int) -> Event:
    """Return the event for a request; `epoch` is moment 0 of virtual time, in milliseconds since 1970."""
    counts = [count for _, count in request.batch]
    records = (
        _record(receipt, count, resource, epoch) for receipt, count in zip(request.receipts, counts, strict=True)
    )
    return event(records, window=request.mapping.maximum_batching_window)


def _record(receipt: Receipt, receive_count: int, resource: QueueResource, epoch: int) -> Record:
    message, address = receipt.message, resource.address
    content = message.content or _EMPTY
    identity, first = message_id(message.number), message.first_received_at
    return Record(
        message_id=identity,
        receipt_handle=receipt_handle(resource.number, message.number, receipt.number),
        body=body_of(message),
        queue_arn=address.arn,
        receive_count=receive_count,
        sent_at=epoch + message.sent_at,
        first_received_at=epoch + (message.received_at if first is None else first),
        sender=content.sender,
        attributes=content.attributes,
        group=message.group,
        # Assumed: a message of a workload has its own id as its deduplication id.
        deduplication_id=(content.deduplication_id or identity) if resource.fifo else "",
        sequence_number=sequence_number(message.index) if resource.fifo else "",
        trace_header=content.trace_header,
        dead_letter_source_arn=Address(address.region, address.account, message.source).arn if message.source else "",
        body_digest=content.body_md5,
        attributes_digest=content.attributes_md5,
    )

"""ReceiveMessage, at once or as a wait (RX-1 … RX-5), and the actions on receipt handles: delete, change visibility."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TypeAlias

import attrs

from chaosqs.kernel.context import SimulationContext
from chaosqs.model.events import Deleted, Received, ReceivedNothing
from chaosqs.model.message import Attributes
from chaosqs.sqs.api.parameters import (
    Address,
    ApiError,
    Parameters,
    error,
    integer,
    invalid_value,
    missing,
    text,
    texts,
)
from chaosqs.sqs.api.queue_attributes import NAMES as QUEUE_ATTRIBUTES
from chaosqs.sqs.api.region import EPOCH, QueueResource, Region, admit, check_key
from chaosqs.sqs.api.sending import by_entry, check_batch
from chaosqs.sqs.machines.attributes import SENDER, Content, attributes_md5, body_md5
from chaosqs.sqs.machines.message import (
    Message,
    Receipt,
    body_of,
    message_id,
    read_receipt_handle,
    receipt_handle,
    sequence_number,
)
from chaosqs.sqs.machines.queue_machine import Outcome
from chaosqs.sqs.service import QueueState

# A received message as ReceiveMessage shows it: only requested attributes (RX-11, RX-12) ------------------------------

_SystemAttribute = Callable[[QueueResource, Message, int], str]


def _content(message: Message) -> Content:
    return message.content or _EMPTY


_EMPTY = Content("", {}, sender=SENDER)

SYSTEM_ATTRIBUTES: Mapping[str, _SystemAttribute] = {
    "SenderId": lambda _, message, __: _content(message).sender,
    "SentTimestamp": lambda _, message, epoch: str(epoch + message.sent_at),  # RX-9
    "ApproximateReceiveCount": lambda _, message, __: str(message.receive_count),  # RX-7
    "ApproximateFirstReceiveTimestamp": lambda _, message, epoch: str(epoch + (message.first_received_at or 0)),
    "SequenceNumber": lambda resource, message, _: sequence_number(message.index) if resource.fifo else "",
    "MessageDeduplicationId": lambda _, message, __: _content(message).deduplication_id,
    "MessageGroupId": lambda _, message, __: message.group,  # FQ-2
    "AWSTraceHeader": lambda _, message, __: _content(message).trace_header,
    "DeadLetterQueueSourceArn": lambda resource, message, _: _source(resource, message),  # DLQ-8
}
"""The system attributes (RX-11). Empty ones are left out."""


@attrs.frozen
class Wanted:
    """The attributes that a receive asks for."""

    system: tuple[str, ...]
    names: frozenset[str]
    prefixes: tuple[str, ...]

    def user(self, attributes: Attributes) -> Attributes:
        """Return the requested ones of a message's attributes."""
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
    """Return the attributes that a receive asks for; raise InvalidAttributeName for an unknown system attribute."""
    for name in system:
        if name not in SYSTEM_ATTRIBUTES and name not in QUEUE_ATTRIBUTES and name != "All":
            raise error("InvalidAttributeName", f"Unknown Attribute {name}.")
    names = tuple(SYSTEM_ATTRIBUTES) if "All" in system else tuple(name for name in SYSTEM_ATTRIBUTES if name in system)
    prefixes = tuple(name.removesuffix(".*").removesuffix("*") for name in user if name.endswith(".*"))
    return Wanted(names, frozenset(user), ("",) if {"All", "*"} & set(user) else prefixes)


def present(resource: QueueResource, receipt: Receipt, wanted: Wanted, epoch: int) -> dict[str, object]:
    """Return a message in botocore's shape."""
    message, content = receipt.message, receipt.message.content
    body = body_of(message)
    shown: dict[str, object] = {
        "MessageId": message_id(message.number),
        "ReceiptHandle": receipt_handle(resource.number, message.number, receipt.number),
        "MD5OfBody": body_md5(body) if content is None else content.body_md5,
        "Body": body,
    }
    system = {name: value for name in wanted.system if (value := SYSTEM_ATTRIBUTES[name](resource, message, epoch))}
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


def _source(resource: QueueResource, message: Message) -> str:
    return Address(resource.address.region, resource.address.account, message.source).arn if message.source else ""


# Long polls: a ReceiveMessage that found nothing and may wait (RX-5) --------------------------------------------------


@attrs.define(eq=False)
class Wait:
    """A long poll that has to wait; `then` sets the callback for its response.

    Without a simulation, callers use `Sqs.finish`, which moves virtual time on to the response. In a simulation they
    call `then` with a function that wakes the client, and `cancel` if the client is gone before.
    """

    until: int
    """Moment at which the wait is over, in milliseconds of virtual time."""
    context: SimulationContext
    state: QueueState
    attempt: Callable[[], dict[str, object] | None]
    """Receives; returns the response, or None if there is no message yet."""
    nothing: Callable[[], dict[str, object]]
    """Returns the response of a poll that found nothing."""
    _callback: Callable[[dict[str, object]], None] | None = None

    def then(self, callback: Callable[[dict[str, object]], None]) -> None:
        """Call a function with the response: as soon as there is a message, at `until` at the latest."""
        self._callback = callback
        self._park()
        self.context.event_queue.at(self.until, self._over)

    def cancel(self) -> None:
        """Drop the callback: nobody waits for the response any more."""
        self._callback = None

    def _park(self) -> None:
        self.state.waiting.append(self._woken)

    def _woken(self) -> None:
        if self._callback is None:
            return
        found = self.attempt()
        if found is None:
            self._park()
        else:
            self._respond(found)

    def _over(self) -> None:
        if self._callback is not None:
            self._respond(self.nothing())

    def _respond(self, response: dict[str, object]) -> None:
        callback, self._callback = self._callback, None
        assert callback is not None
        callback(response)


# Actions on receipt handles: DeleteMessage, ChangeMessageVisibility, and their batches --------------------------------

_LONGEST = 43_200
_Handle: TypeAlias = Callable[[Region, QueueResource, Parameters, str], dict[str, object]]


def delete_message(region: Region, parameters: Parameters) -> dict[str, object]:
    """Delete one message, in flight or not (RH-8)."""
    return _one(region, parameters, "DeleteMessage", _delete)


def delete_message_batch(region: Region, parameters: Parameters) -> dict[str, object]:
    """Delete up to ten messages, each judged alone (BT-5)."""
    return _each(region, parameters, "DeleteMessage", _delete)


def change_message_visibility(region: Region, parameters: Parameters) -> dict[str, object]:
    """Hide one message for another time, from now on (VT-6)."""
    return _one(region, parameters, "ChangeMessageVisibility", _change)


def change_message_visibility_batch(region: Region, parameters: Parameters) -> dict[str, object]:
    """Hide up to ten messages for another time, each judged alone (BT-5)."""
    return _each(region, parameters, "ChangeMessageVisibility", _change)


def _one(region: Region, parameters: Parameters, operation: str, handle: _Handle) -> dict[str, object]:
    resource = region.find(parameters)
    admit(region, resource, operation)
    handle(region, resource, parameters, "")
    region.service_of(resource).serve(resource.state)
    return {}


def _each(region: Region, parameters: Parameters, operation: str, handle: _Handle) -> dict[str, object]:
    resource = region.find(parameters)
    admit(region, resource, operation)
    kind = f"{operation}BatchRequestEntry"
    entries = check_batch(parameters, kind)
    result = by_entry(entries, lambda index, entry: handle(region, resource, entry, f"{kind}.{index}."))
    region.service_of(resource).serve(resource.state)
    return result


def _delete(region: Region, resource: QueueResource, parameters: Parameters, prefix: str) -> dict[str, object]:
    handle, number, receipt = _receipt(resource, parameters, prefix)
    service, state = region.service_of(resource), resource.state
    # RH-7: a repeated delete succeeds.
    outcome = Outcome.GONE if receipt is None else service.remove(state, receipt)
    if outcome is Outcome.EXPIRED:  # RH-5
        raise invalid_value(handle, "ReceiptHandle", "The receipt handle has expired.")
    stayed = (number,) if outcome is Outcome.STAYED else ()
    service.context.record(Deleted(region.now, None, state.queue.name, "", (number,), stayed, ""))
    return {}


def _change(region: Region, resource: QueueResource, parameters: Parameters, prefix: str) -> dict[str, object]:
    timeout = integer(parameters, "VisibilityTimeout")
    if timeout is None:
        raise missing(f"{prefix}VisibilityTimeout")
    handle, _, receipt = _receipt(resource, parameters, prefix)
    if not 0 <= timeout <= _LONGEST:  # VT-5
        raise invalid_value(timeout, "VisibilityTimeout", f"Must be between 0 and {_LONGEST}.")
    if receipt is None:
        raise _not_there(handle)
    match region.service_of(resource).change_visibility(resource.state, receipt, timeout * 1000):
        case Outcome.GONE | Outcome.EXPIRED:
            raise _not_there(handle)
        case Outcome.BEYOND:  # VT-9
            reason = f"Total VisibilityTimeout for the message is beyond the limit [{_LONGEST} seconds]"
            raise invalid_value(timeout, "VisibilityTimeout", reason)
        case _:
            return {}


def _not_there(handle: str) -> ApiError:
    """Return the error for a message that is gone (VT-13)."""
    reason = "Message does not exist or is not available for visibility timeout change."
    return invalid_value(handle, "ReceiptHandle", reason)


def _receipt(resource: QueueResource, parameters: Parameters, prefix: str) -> tuple[str, int, Receipt | None]:
    """Return a handle, the number of its message, and its receipt while the message is in the queue.

    A handle of another queue is as invalid as garbage (Assumed; RH-9).
    """
    handle = text(parameters, "ReceiptHandle")
    if not handle:
        raise missing(f"{prefix}ReceiptHandle")
    fields = read_receipt_handle(handle)
    if fields is None or fields[0] != resource.number:
        raise error("ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.')
    _, number, receipt = fields
    message = resource.state.machine.store.messages.get(number)
    return handle, number, None if message is None else Receipt(message, receipt)


# ReceiveMessage -------------------------------------------------------------------------------------------------------

_MOST = 10
_LONGEST_WAIT = 20
_LONGEST_VISIBILITY = 43_200
_LONGEST_ATTEMPT_ID = 128


@attrs.frozen(eq=False)
class Poll:
    """A checked receive."""

    region: Region
    resource: QueueResource
    maximum: int
    visibility_timeout: int | None
    """Milliseconds, or None: the queue's (VT-2)."""
    wait: int
    """Milliseconds; 0: a short poll."""
    attempt_id: str
    wanted: Wanted
    since: int


def receive_message(region: Region, parameters: Parameters) -> dict[str, object] | Wait:
    """Receive up to ten messages at once if there are any; else return a `Wait` for a long poll."""
    resource = region.find(parameters)
    admit(region, resource, "ReceiveMessage")
    check_key(region, resource)
    poll = _poll(region, resource, parameters)
    store, quota = resource.state.machine.store, resource.state.machine.in_flight_quota
    if not poll.wait and not resource.fifo and store.in_flight >= quota:  # IF-2; long polls and FIFO: IF-3, IF-4
        raise error("OverLimit", f"Too many messages in flight: {quota}.")
    found = _attempt(poll)
    if found is not None:
        return found
    if not poll.wait:
        return _nothing(poll)
    nothing = partial(_nothing, poll)
    return Wait(region.now + poll.wait, region.accounts.context, resource.state, partial(_attempt, poll), nothing)


def _poll(region: Region, resource: QueueResource, parameters: Parameters) -> Poll:
    maximum = integer(parameters, "MaxNumberOfMessages")
    if maximum is not None and not 1 <= maximum <= _MOST:  # RX-1
        raise invalid_value(maximum, "MaxNumberOfMessages", f"Must be between 1 and {_MOST}, if provided.")
    wait = integer(parameters, "WaitTimeSeconds")
    if wait is not None and not 0 <= wait <= _LONGEST_WAIT:  # RX-3
        raise invalid_value(wait, "WaitTimeSeconds", f"Must be >= 0 and <= {_LONGEST_WAIT}, if provided.")
    timeout = integer(parameters, "VisibilityTimeout")
    if timeout is not None and not 0 <= timeout <= _LONGEST_VISIBILITY:  # VT-5
        raise invalid_value(timeout, "VisibilityTimeout", f"Must be >= 0 and <= {_LONGEST_VISIBILITY}, if provided.")
    return Poll(
        region,
        resource,
        1 if maximum is None else maximum,
        None if timeout is None else timeout * 1000,
        (resource.state.queue.receive_wait_time if wait is None else wait) * 1000,
        _attempt_id(resource, parameters),
        wanted(
            texts(parameters, "AttributeNames", "MessageSystemAttributeNames"),
            texts(parameters, "MessageAttributeNames"),
        ),
        region.now,
    )


def _attempt_id(resource: QueueResource, parameters: Parameters) -> str:
    attempt_id = text(parameters, "ReceiveRequestAttemptId") or ""
    if attempt_id and not resource.fifo:
        reason = "The request include parameter that is not valid for this queue type."
        raise invalid_value(attempt_id, "ReceiveRequestAttemptId", reason)
    if len(attempt_id) > _LONGEST_ATTEMPT_ID:  # FF-20
        reason = "ReceiveRequestAttemptId can only include alphanumeric and punctuation characters. 1 to 128 in length."
        raise invalid_value(attempt_id, "ReceiveRequestAttemptId", reason)
    return attempt_id


def _attempt(poll: Poll) -> dict[str, object] | None:
    """Receive now; return the response, or None if there is no message."""
    resource, region = poll.resource, poll.region
    service, state, now = region.service_of(resource), resource.state, region.now
    receipts = _repeated(poll)
    if not receipts:
        maximum = service.wanted(state, poll.maximum)
        chance = region.accounts.chance(state.queue.name, state.receives, short=not poll.wait)
        receipts = service.take(state, maximum, visibility_timeout=poll.visibility_timeout, chance=chance)
        if poll.attempt_id and receipts:
            resource.ordered.attempts.note(poll.attempt_id, receipts, now=now)
    if not receipts:
        return None
    _record(poll, receipts)
    return {"Messages": [present(resource, receipt, poll.wanted, EPOCH) for receipt in receipts]}


def _repeated(poll: Poll) -> list[Receipt]:
    """Return the receipts of a repeated attempt; empty for a new attempt (FF-20)."""
    if not poll.attempt_id:
        return []
    resource, service = poll.resource, poll.region.service_of(poll.resource)
    receipts = resource.ordered.repeat(poll.attempt_id, now=poll.region.now, visibility_timeout=poll.visibility_timeout)
    if receipts:
        service.wake_at(resource.state, receipts[0].message.visible_at)
    return receipts


def _record(poll: Poll, receipts: Sequence[Receipt]) -> None:
    """Record a receive by a plain client (mapping "", poller 0)."""
    service, messages = poll.region.service_of(poll.resource), [receipt.message for receipt in receipts]
    index = service.context.record(
        Received(
            at=poll.region.now,
            cause=messages[0].last_event,
            queue=poll.resource.state.queue.name,
            mapping="",
            poller=0,
            messages=tuple(message.number for message in messages),
            receive_counts=tuple(message.receive_count for message in messages),
            visible_at=messages[0].visible_at,
            fault="",
        )
    )
    for message in messages:
        message.last_event = index


def _nothing(poll: Poll) -> dict[str, object]:
    now, state, since = poll.region.now, poll.resource.state, poll.since
    event = ReceivedNothing(now, None, state.queue.name, "", 0, 1, since, now - since)
    poll.region.service_of(poll.resource).context.record(event)
    return {}

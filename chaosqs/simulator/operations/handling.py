"""What a consumer does with a receipt handle: DeleteMessage, ChangeMessageVisibility, and their batches."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from chaosqs.machine.identity import read_receipt_handle
from chaosqs.machine.message import Receipt
from chaosqs.machine.outcome import Outcome
from chaosqs.model.event import Deleted
from chaosqs.simulator.operations.batches import by_entry, check_batch
from chaosqs.simulator.operations.errors import ApiError, error, invalid_value, missing
from chaosqs.simulator.operations.hosted import Hosted
from chaosqs.simulator.operations.parameters import Parameters, integer, text
from chaosqs.simulator.operations.region import Region
from chaosqs.simulator.operations.throttling import admit

_LONGEST = 43_200
_Handle: TypeAlias = Callable[[Region, Hosted, Parameters, str], dict[str, object]]


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
    hosted = region.find(parameters)
    admit(region, hosted, operation)
    handle(region, hosted, parameters, "")
    region.service_of(hosted).serve(hosted.line)
    return {}


def _each(region: Region, parameters: Parameters, operation: str, handle: _Handle) -> dict[str, object]:
    hosted = region.find(parameters)
    admit(region, hosted, operation)
    kind = f"{operation}BatchRequestEntry"
    entries = check_batch(parameters, kind)
    result = by_entry(entries, lambda place, entry: handle(region, hosted, entry, f"{kind}.{place}."))
    region.service_of(hosted).serve(hosted.line)
    return result


def _delete(region: Region, hosted: Hosted, parameters: Parameters, prefix: str) -> dict[str, object]:
    handle, number, receipt = _receipt(hosted, parameters, prefix)
    service, line = region.service_of(hosted), hosted.line
    # RH-7: a repeated delete succeeds.
    outcome = Outcome.GONE if receipt is None else service.remove(line, receipt)
    if outcome is Outcome.EXPIRED:  # RH-5
        raise invalid_value(handle, "ReceiptHandle", "The receipt handle has expired.")
    stayed = (number,) if outcome is Outcome.STAYED else ()
    service.record(Deleted(region.now, None, line.queue.name, "", (number,), stayed, ""))
    return {}


def _change(region: Region, hosted: Hosted, parameters: Parameters, prefix: str) -> dict[str, object]:
    timeout = integer(parameters, "VisibilityTimeout")
    if timeout is None:
        raise missing(f"{prefix}VisibilityTimeout")
    handle, _, receipt = _receipt(hosted, parameters, prefix)
    if not 0 <= timeout <= _LONGEST:  # VT-5
        raise invalid_value(timeout, "VisibilityTimeout", f"Must be between 0 and {_LONGEST}.")
    if receipt is None:
        raise _not_there(handle)
    match region.service_of(hosted).change_visibility(hosted.line, receipt, timeout * 1000):
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


def _receipt(hosted: Hosted, parameters: Parameters, prefix: str) -> tuple[str, int, Receipt | None]:
    """Return a handle, the number of its message, and its receipt while the message is in the queue.

    A handle of another queue is as invalid as garbage (Assumed; RH-9).
    """
    handle = text(parameters, "ReceiptHandle")
    if not handle:
        raise missing(f"{prefix}ReceiptHandle")
    fields = read_receipt_handle(handle)
    if fields is None or fields[0] != hosted.number:
        raise error("ReceiptHandleIsInvalid", f'The input receipt handle "{handle}" is not a valid receipt handle.')
    _, number, receipt = fields
    message = hosted.line.machine.store.messages.get(number)
    return handle, number, None if message is None else Receipt(message, receipt)

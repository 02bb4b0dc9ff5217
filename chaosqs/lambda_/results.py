"""The event of a batch; its handler's result, in the form of Lambda's Python runtime; the outcome that it means."""

import inspect
import json
import traceback
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import dropwhile

import attrs

from chaosqs.lambda_.execution_environment import LoadError, describe, first_line
from chaosqs.lambda_.guards import is_theirs
from chaosqs.lambda_.invocation import (
    CRASHED,
    NOT_INITIALISED,
    NOT_JSON,
    RESPONSE_LIMIT,
    TIMED_OUT,
    TOO_LARGE,
    UNANSWERABLE,
    Invocation,
    InvocationOutcome,
    Request,
)
from chaosqs.lambda_.machines.partial_batch import LISTED, judge_error, judge_payload, misread
from chaosqs.lambda_.machines.sqs_event import Event, Record, event, event_record
from chaosqs.lambda_.output import Output
from chaosqs.model.events import Outcome
from chaosqs.sqs.api.parameters import Address
from chaosqs.sqs.api.region import ACCOUNT, EPOCH, REGION, QueueResource
from chaosqs.sqs.machines.attributes import SENDER, Content
from chaosqs.sqs.machines.message import Receipt, body_of, message_id, receipt_handle, sequence_number

_EMPTY = Content("", {}, sender=SENDER)


def batch_event(request: Request, resource: QueueResource, epoch: int) -> Event:
    """Return the event for a request; `epoch` is moment 0 of virtual time, in milliseconds since 1970."""
    counts = [count for _, count in request.batch]
    records = (
        _record(receipt, count, resource.address, resource.number, epoch)
        for receipt, count in zip(request.receipts, counts, strict=True)
    )
    return event(records, window=request.mapping.maximum_batching_window)


def record_of(receipt: Receipt, queue: str) -> Event:
    """Return the record of a message that was just received, for filters: in the default account and Region (FL-7)."""
    record = _record(receipt, receipt.message.receive_count, Address(REGION, ACCOUNT, queue), 0, EPOCH)
    return event_record(record, window=0)


def _record(receipt: Receipt, receive_count: int, address: Address, queue_number: int, epoch: int) -> Record:
    message, fifo = receipt.message, address.name.endswith(".fifo")
    content = message.content or _EMPTY
    identity, first = message_id(message.number), message.first_received_at
    return Record(
        message_id=identity,
        receipt_handle=receipt_handle(queue_number, message.number, receipt.number),
        body=body_of(message),
        queue_arn=address.arn,
        receive_count=receive_count,
        sent_at=epoch + message.sent_at,
        first_received_at=epoch + (message.received_at if first is None else first),
        sender=content.sender,
        attributes=content.attributes,
        group=message.group,
        # Assumed: a message of a workload has its own id as its deduplication id.
        deduplication_id=(content.deduplication_id or identity) if fifo else "",
        sequence_number=sequence_number(message.index) if fifo else "",
        trace_header=content.trace_header,
        dead_letter_source_arn=Address(address.region, address.account, message.source).arn if message.source else "",
        body_digest=content.body_md5,
        attributes_digest=content.attributes_md5,
    )


@attrs.frozen
class Result:
    """The end of a handler: what it returned, or an error in the form of Lambda's Python runtime (LX-7 … LX-10)."""

    outcome: Outcome
    """`succeeded`, `raised`, `timed_out` or `crashed`, as in histories."""
    payload: bytes
    error: str = ""
    """Type and message of the error as histories have it, or empty."""
    rule: str = ""
    """Id of the rule by which a return value is an error, or empty."""
    kind: str = ""
    """`errorType` of the payload."""
    message: str = ""
    """`errorMessage` of the payload."""
    trace: tuple[str, ...] = ()
    """`stackTrace` of the payload."""
    frames: tuple[str, ...] = ()
    """Places in the user's code at which it failed, the innermost last: `invoice.py:12 in handler`."""

    @property
    def failed(self) -> bool:
        """True for a function error."""
        return self.outcome != "succeeded"


def returned(value: object, request_id: str) -> Result:
    """Return the result for a handler's return value, which must be JSON of at most `RESPONSE_LIMIT` bytes (LX-5)."""
    if isinstance(value, bytes):
        payload = value
    else:
        try:
            payload = json.dumps(value, default=_decimal).encode()
        except Exception as error:  # noqa: BLE001 - as the runtime does
            if inspect.iscoroutine(value):
                value.close()
            return runtime_error(NOT_JSON, f"Unable to marshal response: {error}", request_id)
    if len(payload) > RESPONSE_LIMIT:
        message = f"Response payload size exceeded maximum allowed payload size ({RESPONSE_LIMIT} bytes)."
        return _failure("raised", TOO_LARGE, message, TOO_LARGE, rule="LX-5")
    return Result("succeeded", payload)


def explained(
    outcome: InvocationOutcome, result: Result, output: Output, code: str = "", handler: Callable[[], str] = str
) -> InvocationOutcome:
    """Return an outcome with the places and the output that tell why it failed; others need none.

    `code`: the directory of the function's code. `handler`: returns the place of the handler, which is to blame for an
    answer that Lambda refuses or does not read; an empty text if it is unknown.
    """
    if outcome.outcome == "succeeded" and not outcome.failed and not outcome.answer:
        return outcome
    place = handler() if outcome.answer or result.kind in UNANSWERABLE else ""
    return attrs.evolve(outcome, trace=(place,) if place else result.frames, output=output.last(code))


def raised(error: BaseException, request_id: str, root: str = "") -> Result:
    """Return the result for an error that a handler raised; `root`, if any, is shown as /var/task in the stack trace.

    An exception is a function error (LX-7). Anything else ends the handler's process (LX-14), and so does an exception
    whose message cannot be read, as the runtime needs it.
    """
    try:
        text = str(error)
    except Exception as unreadable:  # noqa: BLE001 - whatever a handler's own class does
        return exited(request_id, f"{type(unreadable).__name__} in {type(error).__name__}.__str__", 1)
    if not isinstance(error, Exception):
        return exited(request_id, describe(error), error.code if isinstance(error, SystemExit) else 1)
    return _failure("raised", type(error).__name__, text, describe(error), _stack(error, root), request_id)


def load_failed(error: LoadError, request_id: str, root: str = "") -> Result:
    """Return the result for code that could not be imported: Lambda's runtime reports the error and exits (LX-12)."""
    trace = [] if error.kind == NOT_INITIALISED or error.__cause__ is None else _stack(error.__cause__, root)
    text = f"{error.kind}: {first_line(str(error))}"
    return _failure("crashed", error.kind, str(error), text, trace, request_id)


def _stack(error: BaseException, root: str) -> list[str]:
    frames = list(dropwhile(lambda frame: not is_theirs(frame.filename), traceback.extract_tb(error.__traceback__)))
    lines = [line.removesuffix("\n") for line in traceback.format_list(frames)]
    return [line.replace(root, "/var/task") for line in lines] if root else lines


def runtime_error(kind: str, message: str, request_id: str) -> Result:
    """Return the result for an error of the runtime itself, not of the handler's code."""
    return _failure("raised", kind, message, f"{kind}: {first_line(message)}", (), request_id)


def exited(request_id: str, why: str = "", code: object = None) -> Result:
    """Return the result for a handler that ends its process (LX-14), with an exit code or without one."""
    status = code if isinstance(code, int) else 0 if code is None else 1
    how = f"with error: exit status {status}" if status else "without providing a reason"
    message = f"RequestId: {request_id} Error: Runtime exited {how}"
    return _failure("crashed", CRASHED, message, f"{CRASHED}: {why}" if why else CRASHED)


def timed_out(request_id: str, limit: int) -> Result:
    """Return the result for a handler that the function timeout ended (LX-9); `limit`: milliseconds."""
    message = f"RequestId: {request_id} Error: Task timed out after {limit / 1000:.2f} seconds"
    return _failure("timed_out", TIMED_OUT, message, TIMED_OUT)


def judged(invocation: Invocation, result: Result, duration: int) -> InvocationOutcome:
    """Return the outcome of a result for the invocation's batch, if it has one (PB-1 … PB-12)."""
    request = invocation.request
    reporting = request.mapping.report_batch_item_failures
    numbers = {message_id(number): number for number in request.messages}
    if not numbers:
        rule = {"raised": "LX-7", "timed_out": "LX-9"}.get(result.outcome, "")
        return InvocationOutcome(result.outcome, duration, rule=result.rule or rule, error=result.error)
    if result.outcome == "raised":
        rule = result.rule or judge_error((), reporting=reporting).rule
        return InvocationOutcome("raised", duration, rule=rule, error=result.error)
    if result.failed:
        return InvocationOutcome(result.outcome, duration, error=result.error)
    text, ids = result.payload.decode(errors="replace"), tuple(numbers)
    outcome = judge_payload(text, ids, reporting=reporting)
    failed = outcome.failed
    if not reporting:  # the handler's report counts for the history, although the mapping ignores it (EF-2)
        unread = judge_payload(text, ids, reporting=True)
        failed = unread.failed if unread.rule in (LISTED, "PB-12") else ()
    listed, answer = tuple(numbers[name] for name in failed), misread(text, outcome)
    return InvocationOutcome("succeeded", duration, listed, rule=outcome.rule, answer=answer)


def _failure(  # noqa: PLR0917 - the parts of an error
    outcome: Outcome,
    kind: str,
    message: str,
    error: str,
    trace: Sequence[str] | None = None,
    request_id: str = "",
    rule: str = "",
) -> Result:
    body: dict[str, object] = {"errorMessage": message, "errorType": kind}
    if trace is not None:
        body |= {"requestId": request_id, "stackTrace": list(trace)}
    return Result(outcome, json.dumps(body).encode(), error, rule, kind, message, tuple(trace or ()))


def _decimal(value: object) -> float:
    """Convert a decimal to a number, as the Python runtime does; raise TypeError for any other type."""
    if isinstance(value, Decimal):
        return float(value)
    message = f"Object of type {type(value).__name__} is not JSON serializable"
    raise TypeError(message)

"""The events that a run records.

Each event has its time in milliseconds and its cause: the index in the history of the event that led to it, or None.
Messages are numbered in the order of sending, pollers within their mapping, and invocations within the run. `fault`
names the fault of the plan that made the event happen; empty: none.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

# Changes to the design ------------------------------------------------------------------------------------------------


@attrs.frozen
class PollersChanged:
    """The number of pollers of a mapping changed (ES-1 … ES-8)."""

    at: int
    cause: int | None
    mapping: str
    pollers: int
    why: str
    fault: str = ""


@attrs.frozen
class Operated:
    """An operator, or a fault that acts like one, changed something during the run."""

    at: int
    cause: int | None
    kind: Literal["redeploy", "purge", "redrive", "change"]
    target: str
    """Name of the queue, function or mapping."""
    setting: str
    """Name of the setting of a `change`; empty otherwise."""
    value: str
    """New value of the setting, as Python writes it."""
    fault: str = ""


# Real handlers --------------------------------------------------------------------------------------------------------


@attrs.frozen
class PointPassed:
    """A real handler passed a `chaosqs.fault_point`."""

    at: int
    cause: int | None
    function: str
    invocation: int
    point: str
    """Name of the fault point."""
    fault: str
    """The fault that was injected there; empty: none."""


@attrs.frozen
class Effect:
    """A real handler recorded an effect: `chaosqs.record("charged", order=7)`."""

    at: int
    cause: int | None
    function: str
    invocation: int
    name: str
    values: tuple[tuple[str, str | int | float | bool | None], ...]
    """The recorded values by name, in the order of the names."""
    message: int | None = None
    """The message that the effect is about, if the handler named one."""


@attrs.frozen
class ServiceCalled:
    """A real handler called another service of AWS, or an HTTP server; each attempt of a client is a call."""

    at: int
    cause: int | None
    function: str
    invocation: int
    service: str
    """Name of the service, as `boto3.client` takes it: `dynamodb`; for HTTP the host: `api.example.com`."""
    operation: str
    """Name of the operation: `PutItem`; for HTTP the method: `GET`."""
    error: str = ""
    """Code of the error that was answered, for HTTP the status; empty: none."""
    fault: str = ""
    """The fault that was injected into it."""
    effects: tuple[str, ...] = attrs.field(default=(), eq=False, repr=False)
    """Digest of each effect that another such call would have again, as a message to a topic: equal if these are."""
    claims: tuple[str, ...] = attrs.field(default=(), eq=False, repr=False)
    """Digests of what it claims, if it is a conditional write, by which idempotent code claims its work."""
    place: str = attrs.field(default="", eq=False, repr=False)
    """File and line of the handler's call: `app/handler.py:12`."""

    @property
    def what(self) -> str:
        """Words for the call: `dynamodb PutItem`, `GET api.example.com`."""
        is_http = self.operation.isupper()  # AWS's operations are not
        return f"{self.operation} {self.service}" if is_http else f"{self.service} {self.operation}"


@attrs.frozen
class Reached:
    """A real handler passed a `chaosqs.sometimes`."""

    at: int
    cause: int | None
    function: str
    invocation: int
    mark: str


# Pollers --------------------------------------------------------------------------------------------------------------

ReleaseReason: TypeAlias = Literal["throttled", "failed", "service error", "no answer", "restarted", "held back"]
"""Reason why a poller forgot messages; `throttled`: it was throttled for a whole visibility timeout; `held back`: they
stood behind a failed message of their group."""


@attrs.frozen
class ReceiveFailed:
    """A fault made a receive fail, or come back empty although messages waited (EF-8, RX-4, IF-3)."""

    at: int
    cause: int | None
    queue: str
    mapping: str
    poller: int
    fault: str


@attrs.frozen
class ReceivedNothing:
    """Empty receives: `count` long polls in a row, the first from `since` on, each `every` milliseconds long.

    They are recorded together, when the poller gets a message or is released.
    """

    at: int
    cause: int | None
    queue: str
    mapping: str
    poller: int
    count: int
    since: int
    every: int


@attrs.frozen
class Released:
    """A poller forgot its batch without deleting it; the messages come back when their visibility timeout ends."""

    at: int
    cause: int | None
    mapping: str
    poller: int
    messages: tuple[int, ...]
    why: ReleaseReason
    fault: str = ""


@attrs.frozen
class Held:
    """A fault makes a poller hold its batch, or its next call, until `until` (milliseconds)."""

    at: int
    cause: int | None
    mapping: str
    poller: int
    messages: tuple[int, ...]
    until: int
    fault: str


# Messages and invocations ---------------------------------------------------------------------------------------------


Outcome: TypeAlias = Literal["succeeded", "raised", "timed_out", "crashed"]
"""The outcome of an invocation."""


@attrs.frozen
class Sent:
    """A producer's message is in the queue (a `delay` may still hide it)."""

    at: int
    cause: int | None
    queue: str
    message: int
    body_bytes: int
    group: str
    copy_of: int | None = None
    """The message that it repeats: its producer did not learn that SQS had accepted it, or it was moved out of a
    dead-letter queue (then its cause is the delete there). None: it is new."""
    fault: str = ""
    deduplication_id: str = ""
    """Id that a client or the workload's message gave, or the body's digest (FF-3, FF-4). Empty on standard queues,
    and where a workload gives a size only."""
    contents: str = attrs.field(default="", eq=False, repr=False)
    """Digest of body and attributes, of a message that has contents: two messages are the same if theirs are."""
    place: str = attrs.field(default="", eq=False, repr=False)
    """File and line of the call, if a handler sent it: `app/handler.py:12`."""


@attrs.frozen
class Deduplicated:
    """A producer's send repeated a deduplication id: SQS answered it, and nothing is in the queue (FF-5, FF-6)."""

    at: int
    cause: int | None
    queue: str
    message: int
    """Number of the message that was not put into the queue."""
    first: int
    """Number of the message that it repeats."""


@attrs.frozen
class SendFailed:
    """A producer's send failed, as far as the producer knows; it sends again later (OR-4)."""

    at: int
    cause: int | None
    queue: str
    message: int
    fault: str


@attrs.frozen
class Received:
    """A poller has received messages; each receive count went up by one, and all are hidden until `visible_at`."""

    at: int
    cause: int | None
    queue: str
    mapping: str
    poller: int
    messages: tuple[int, ...]
    receive_counts: tuple[int, ...]
    visible_at: int
    fault: str
    """The fault of the receive."""
    lost: bool = False
    """True if the fault lost the answer: SQS counted the receive, but the poller saw no message (RX-8)."""


@attrs.frozen
class Throttled:
    """Lambda answered an invocation with 429 (LC-11). The poller keeps the batch and tries again (ES-8)."""

    at: int
    cause: int | None
    function: str
    mapping: str
    poller: int
    messages: tuple[int, ...]
    attempt: int
    """1 for the first invocation of this batch since its receive."""
    reason: str
    """Reason as Lambda names it (LC-12)."""
    running: int
    """Busy executions, of `limit`."""
    limit: int
    fault: str


@attrs.frozen
class ServiceFailed:
    """Lambda answered an invocation with a service error (LX-11)."""

    at: int
    cause: int | None
    function: str
    mapping: str
    poller: int
    messages: tuple[int, ...]
    fault: str
    reason: str = ""
    """Reason as Lambda names it; empty if a fault caused the error: `RecursiveInvocationException` (LX-17)."""


@attrs.frozen
class InvocationStarted:
    """A function began to run a batch."""

    at: int
    cause: int | None
    function: str
    mapping: str
    poller: int
    invocation: int
    messages: tuple[int, ...]
    cold: bool
    """True if a new execution environment had to be initialised first (LX-12)."""
    running: int
    """Busy executions of this function, this one included."""
    fault: str = ""
    """The fault that made it start cold."""


@attrs.frozen
class InvocationEnded:
    """A function finished with a batch, or its invocation was ended."""

    at: int
    cause: int | None
    function: str
    mapping: str
    invocation: int
    messages: tuple[int, ...]
    outcome: Outcome
    failed: tuple[int, ...]
    """Messages that a successful invocation reported as failed (PB-*), even if the mapping ignores it (EF-2)."""
    duration: int
    """Milliseconds in the handler; initialisation counts only after a crash or a timeout (LX-14, LX-15)."""
    answered: bool
    """True if a poller still waited for the answer and got it."""
    fault: str
    rule: str = ""
    """Id of the rule that gives an answer or an error its meaning: `EF-2`, `PB-1` … `PB-12`, `LX-5` …; empty for an
    ordinary outcome of a model."""
    error: str = ""
    """Error of real code: its type and the first line of its message; or Lambda's own error type (LX-9)."""
    answer: str = attrs.field(default="", eq=False, repr=False)
    """Beginning of an answer of real code that Lambda does not read as it was meant, by `rule`; else empty."""
    trace: tuple[str, ...] = attrs.field(default=(), eq=False, repr=False)
    """Places in real code at which it failed, the innermost last: `invoice.py:12 in handler`."""
    output: tuple[str, ...] = attrs.field(default=(), eq=False, repr=False)
    """Last lines that real code printed or logged in an invocation that failed or reported failures."""


@attrs.frozen
class Deleted:
    """A poller deleted the messages of a batch after success (EF-1)."""

    at: int
    cause: int | None
    queue: str
    mapping: str
    messages: tuple[int, ...]
    stayed: tuple[int, ...]
    """Those of the messages that are still there: received again meanwhile (RH-4), or the request was lost."""
    fault: str


@attrs.frozen
class FilteredOut:
    """Messages that matched none of the mapping's filters: deleted before they reached a batch (FL-1, FL-2)."""

    at: int
    cause: int | None
    queue: str
    mapping: str
    poller: int
    messages: tuple[int, ...]
    rules: tuple[str, ...]
    """Id of the deciding rule, for each message: `FL-2`, `FL-5` or `FL-6`."""


@attrs.frozen
class Returned:
    """The visibility timeout of a message is over; it can be received again (VT-4)."""

    at: int
    cause: int | None
    queue: str
    message: int
    receive_count: int
    fault: str = ""
    """The fault that made it visible before that, or again after its delete."""


@attrs.frozen
class DeadLettered:
    """A receive found a message over max_receive_count and moved it instead of returning it (DLQ-3, DLQ-4)."""

    at: int
    cause: int | None
    queue: str
    target: str
    message: int
    receive_count: int
    """Deliveries that the message had; the receive that moved it is not counted (DLQ-6)."""


@attrs.frozen
class Expired:
    """The retention period of a message is over; it is gone (RT-1)."""

    at: int
    cause: int | None
    queue: str
    message: int
    receive_count: int


Event: TypeAlias = (
    Sent
    | Deduplicated
    | SendFailed
    | Received
    | ReceiveFailed
    | ReceivedNothing
    | Throttled
    | ServiceFailed
    | InvocationStarted
    | PointPassed
    | Effect
    | Reached
    | ServiceCalled
    | InvocationEnded
    | Released
    | Held
    | Deleted
    | FilteredOut
    | Returned
    | DeadLettered
    | Expired
    | PollersChanged
    | Operated
)
"""Any event of a history."""

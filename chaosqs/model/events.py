"""What a run records.

Each event has its moment in milliseconds and its cause: the place in the history of the event that led to it, or None.
Messages are numbers in the order of sending. A poller is a number within its mapping, an invocation one of the run.
`fault` is empty, or names the fault of the plan that made it happen.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import attrs

# What a run records of changes to the design itself: by the mapping's own law, or by an operator. --------------------


@attrs.frozen
class PollersChanged:
    """A mapping has another number of pollers now (ES-1 … ES-8)."""

    at: int
    cause: int | None
    mapping: str
    pollers: int
    why: str
    fault: str = ""


@attrs.frozen
class Operated:
    """An operator, or a fault that stands for one, changed something while the run went on."""

    at: int
    cause: int | None
    kind: Literal["redeploy", "purge", "redrive", "change"]
    target: str
    """The queue, function or mapping."""
    setting: str
    """What a `change` changes; empty otherwise."""
    value: str
    """To what, as Python writes it."""
    fault: str = ""


# What a run records of the user's own code, which calls chaosqs while it handles a batch. ----------------------------


@attrs.frozen
class PointPassed:
    """A handler of the user's passed a `chaosqs.fault_point`."""

    at: int
    cause: int | None
    function: str
    invocation: int
    point: str
    """Its name."""
    fault: str
    """Names the fault that struck there; empty: none did."""


@attrs.frozen
class Effect:
    """A handler of the user's recorded an effect: `chaosqs.record("charged", order=7)`."""

    at: int
    cause: int | None
    function: str
    invocation: int
    name: str
    values: tuple[tuple[str, str | int | float | bool | None], ...]
    """What it recorded, by name, in the order of the names."""
    message: int | None = None
    """The message that it is about, where the handler said so."""


@attrs.frozen
class Reached:
    """Code of the user's passed a `chaosqs.sometimes`."""

    at: int
    cause: int | None
    function: str
    invocation: int
    mark: str


# What a run records of a poller alone: calls that brought nothing, and batches that it keeps or forgets. -------------

ReleaseReason: TypeAlias = Literal["throttled", "failed", "service error", "no answer", "restarted"]
"""Why a poller forgot its batch; `throttled`: for a whole visibility timeout."""


@attrs.frozen
class ReceiveFailed:
    """A receive failed, or came back empty, by a fault although messages wait (EF-8, RX-4, IF-3)."""

    at: int
    cause: int | None
    queue: str
    mapping: str
    poller: int
    fault: str


@attrs.frozen
class ReceivedNothing:
    """Receives that came back empty: `count` long polls one after another since `since`, each `every` ms long.

    They are recorded together, when the poller gets a message at last, or lets go.
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
    """A poller forgot its batch without deleting it; the messages come back when their visibility ends."""

    at: int
    cause: int | None
    mapping: str
    poller: int
    messages: tuple[int, ...]
    why: ReleaseReason
    fault: str = ""


@attrs.frozen
class Held:
    """A poller holds its batch, or its next call, until `until`, by a fault."""

    at: int
    cause: int | None
    mapping: str
    poller: int
    messages: tuple[int, ...]
    until: int
    fault: str


# ---------------------------------------------------------------------------------------------------------------------


Outcome: TypeAlias = Literal["succeeded", "raised", "timed_out", "crashed"]
"""How an invocation ended."""


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
    """The message that it repeats: its producer never learned that SQS had that, or a dead-letter queue was moved back
    (then its cause is the delete there); None: it is new."""
    fault: str = ""
    deduplication_id: str = ""
    """What a client gave, or the digest of its body (FF-3, FF-4); empty on standard queues and for a workload."""


@attrs.frozen
class SendFailed:
    """A producer's attempt to send came to nothing that it knows of; it sends again later (OR-4)."""

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
    """Names the fault that struck the receive."""
    lost: bool = False
    """Whether that lost the answer: then SQS counted the receive, and the poller never saw it (RX-8)."""


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
    """As Lambda names it (LC-12)."""
    running: int
    """Executions that were busy, of `limit`."""
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
    """As Lambda names it where no fault has brought it about: `RecursiveInvocationException` (LX-17)."""


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
    """Whether a new execution environment had to be initialised first (LX-12)."""
    running: int
    """Executions of this function that are busy now, this one included."""
    fault: str = ""
    """Names the fault that made it start cold."""


@attrs.frozen
class InvocationEnded:
    """A function is done with a batch, or was ended."""

    at: int
    cause: int | None
    function: str
    mapping: str
    invocation: int
    messages: tuple[int, ...]
    outcome: Outcome
    failed: tuple[int, ...]
    """Messages that a succeeded invocation reported as failed (PB-*), whether or not the mapping looks (EF-2)."""
    duration: int
    """Milliseconds in the handler; initialisation counts only after a crash or a timeout (LX-14, LX-15)."""
    answered: bool
    """Whether a poller still waited for the answer and got it."""
    fault: str
    rule: str = ""
    """Id of the rule by which an answer or an error means what it means: `EF-2`, `PB-1` … `PB-12`, `LX-5` …; empty for
    a model that does nothing out of the ordinary."""
    error: str = ""
    """What real code raised, as its type and the first line of its message; or Lambda's own error type (LX-9)."""


@attrs.frozen
class Deleted:
    """A poller deleted the messages of a batch after success (EF-1)."""

    at: int
    cause: int | None
    queue: str
    mapping: str
    messages: tuple[int, ...]
    stayed: tuple[int, ...]
    """Those of them that are still there: received again meanwhile (RH-4), or the request was lost."""
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
    """For each of them the rule that decided: `FL-2`, `FL-5` or `FL-6`."""


@attrs.frozen
class Returned:
    """The visibility timeout of a message is over; it can be received again (VT-4)."""

    at: int
    cause: int | None
    queue: str
    message: int
    receive_count: int
    fault: str = ""
    """Names the fault by which it is visible before that, or again after its delete."""


@attrs.frozen
class DeadLettered:
    """A receive found a message over max_receive_count and moved it instead of returning it (DLQ-3, DLQ-4)."""

    at: int
    cause: int | None
    queue: str
    target: str
    message: int
    receive_count: int
    """Deliveries that it had; the attempt that moved it is not counted (DLQ-6)."""


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
"""Everything that a history can contain."""

"""Every kind of fault: where it strikes, what it does, and the rule of the ledger that lets AWS do it."""

from __future__ import annotations

import attrs

OK = "ok"
"""The outcome of a call in which nothing goes wrong."""
FAULT_POINT = "fault_point"
"""The kind of a fault in the user's own code; an outcome names its site too: `fault_point:charge-card`."""


@attrs.frozen
class FaultKind:
    """One thing that can go wrong, and where."""

    name: str
    boundary: str
    """Which call it strikes: send, poll (a receive before it is answered), receive (the answer), hold (a batch in a
    poller's hand), invoke, handler, point (a site in user code), response, delete; or mapping, the life of one."""
    effect: str
    """What happens, in a sentence."""
    rule: str
    """The rule of the ledger that makes it legal behaviour of AWS."""
    scopes: tuple[str, ...] = ("queue", "function", "mapping")
    """What a window of this kind may name."""
    keyed: bool = True
    """Whether it may be the outcome of one message's send or receive; else it comes in windows only."""
    standard_only: bool = False
    """Whether it cannot happen on FIFO queues."""


_QUEUE, _MAPPING = ("queue",), ("mapping",)

KINDS: tuple[FaultKind, ...] = (
    FaultKind(
        "throttled",
        "invoke",
        "Lambda answers 429 although the design has room: others took the capacity.",
        "LC-11",
    ),
    FaultKind(
        "service_error",
        "invoke",
        "Lambda answers 500; the poller gives the batch up until its visibility ends.",
        "LX-11",
    ),
    FaultKind("error", "handler", "The handler raises; nothing of the batch is deleted.", "LX-7"),
    FaultKind("slow", "handler", "The handler takes until 1 ms before the function timeout, then succeeds.", "LX-1"),
    FaultKind("timeout", "handler", "The handler hangs; the function timeout ends it.", "LX-9"),
    FaultKind("crash", "handler", "The execution environment dies half-way.", "LX-14"),
    FaultKind(
        "lost_receive", "receive", "SQS counts the receive and hides the messages; the poller never sees them.", "RX-8"
    ),
    FaultKind(
        "lost_response",
        "response",
        "The function succeeds, but the poller never learns it and deletes nothing.",
        "EP-13",
    ),
    FaultKind("lost_delete", "delete", "The delete after a success gets lost; the messages come back.", "EF-5"),
    # Producers
    FaultKind("lost_send", "send", "The request gets lost; the producer sends again a second later.", "OR-4", _QUEUE),
    FaultKind("failed_send", "send", "SQS answers 503; the producer sends again after its back-off.", "OR-4", _QUEUE),
    FaultKind(
        "lost_send_response",
        "send",
        "SQS takes the message, the producer never learns it and sends it again: a second message on a standard queue, "
        "none on a FIFO queue within five minutes.",
        "OR-4",
        _QUEUE,
    ),
    FaultKind("late_send", "send", "SQS takes the message, but receives find it only 5 seconds later.", "OR-1", _QUEUE),
    FaultKind(
        "outage",
        "send",
        "Producers cannot reach the queue; what they have to send arrives all at once when the window ends.",
        "OR-4",
        _QUEUE,
        keyed=False,
    ),
    # Receives
    FaultKind(
        "failed_receive",
        "poll",
        "The receive fails or its request gets lost, nothing is received; the poller tries again a second later.",
        "EF-8",
    ),
    FaultKind("empty_receive", "poll", "The receive comes back empty although messages wait.", "RX-4"),
    FaultKind("short_receive", "poll", "The receive returns one message, however many wait.", "RX-2"),
    FaultKind(
        "out_of_order",
        "poll",
        "The receive passes the oldest messages over, up to 1,000, and returns the newest, newest first.",
        "OR-1",
        standard_only=True,
    ),
    FaultKind(
        "duplicate",
        "receive",
        "A replica missed the receive: the messages are visible again at once, and another receive gets them too.",
        "OR-4",
        standard_only=True,
    ),
    FaultKind("slow_receive", "receive", "The answer takes 5 seconds, while the visibility timeout runs.", "EP-10"),
    FaultKind(
        "quota_full",
        "poll",
        "The quota of messages in flight is used up: receives find nothing until the window ends.",
        "IF-3",
        _QUEUE,
        keyed=False,
    ),
    # Pollers
    FaultKind(
        "restart",
        "hold",
        "The poller restarts with a batch in hand; the messages come back when their visibility ends.",
        "EP-13",
    ),
    FaultKind(
        "stall",
        "hold",
        "The poller holds its batch for 10 seconds, or until the window ends, before it invokes.",
        "EP-10",
    ),
    FaultKind(
        "disabled",
        "mapping",
        "The mapping is disabled, and enabled when the window ends.",
        "EC-23",
        _MAPPING,
        keyed=False,
    ),
    FaultKind("scale_down", "mapping", "The mapping goes down to its fewest pollers.", "ES-5", _MAPPING, keyed=False),
    # Lambda
    FaultKind(
        "lost_invoke",
        "invoke",
        "The request never reaches Lambda; the poller invokes again a second later.",
        "EP-13",
    ),
    FaultKind(
        "account_full",
        "invoke",
        "Other functions hold the account's unreserved concurrency: 429 for functions without a reservation.",
        "LC-2",
    ),
    FaultKind(
        "cold_start",
        "invoke",
        "No warm environment is left; the initialisation of a new one takes 9 seconds.",
        "LX-12",
    ),
    FaultKind("brown_out", "handler", "A dependency is slow: the handler takes ten times as long.", "LX-1"),
    FaultKind("out_of_memory", "handler", "The handler runs out of memory and is killed.", "LX-14"),
    FaultKind("init_failure", "handler", "The function's initialisation fails; its handler never runs.", "LX-12"),
    FaultKind(
        "malformed_response",
        "handler",
        "The handler does its work and returns a failure list that Lambda cannot read: all failed with partial batch "
        "responses, else nobody looks.",
        "PB-8",
    ),
    FaultKind(FAULT_POINT, "point", "A `chaosqs.fault_point` in the user's handler says that it strikes.", "LX-7"),
    # Deletes
    FaultKind(
        "failed_delete",
        "delete",
        "SQS answers the delete with an error; the poller repeats it once, a second later.",
        "EF-5",
    ),
    FaultKind("partial_delete", "delete", "Only the first half of the batch is deleted.", "EF-5"),
    FaultKind("slow_delete", "delete", "The delete takes effect only after 5 seconds.", "EF-7"),
    FaultKind(
        "lost_delete_response", "delete", "The delete takes effect, the poller never learns it and repeats it.", "RH-7"
    ),
    FaultKind(
        "reappear",
        "delete",
        "A replica missed the delete: the messages are there again a second later.",
        "RH-10",
        standard_only=True,
    ),
)
"""Every kind of fault, in the order in which reports list them; `ok` is none of them."""

KIND_NAMES = tuple(kind.name for kind in KINDS)
_BY_NAME = {kind.name: kind for kind in KINDS}


def kind_of(outcome: str) -> FaultKind | None:
    """Return the kind that an outcome names, `fault_point:charge-card` included; None for `ok` and unknown ones."""
    return _BY_NAME.get(outcome.partition(":")[0] if outcome.startswith(f"{FAULT_POINT}:") else outcome)

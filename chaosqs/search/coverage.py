"""Coverage: the marks that a run reached. They show that a search could have found something."""

from collections.abc import Collection, Iterator, Sequence

from chaosqs.model import events
from chaosqs.model.design import Design
from chaosqs.model.faults import ACTIONS, FAULT_POINT, KIND_NAMES, KINDS
from chaosqs.model.history import History

SOMETIMES = "sometimes"
"""Prefix of users' marks: `sometimes paid twice`."""

COVERAGE_MARKS = (
    "throttled",
    "throttled by the account",
    "throttled by a rate",
    "given up after throttles",
    "dead-lettered",
    "visibility expired",
    "received again",
    "in two batches at once",
    "errors",
    "timeouts",
    "crashes",
    "partial batch failure",
    "service error",
    "expired",
    "late delete",
    "filtered out",
    "batch of several",
    "batch larger than a receive",
    "several message groups",
    "maximum concurrency",
    "more pollers",
    "fewer pollers",
    "idle pollers",
    *(f"operator: {action}" for action in ACTIONS),
    "pause",
    *(f"fault {kind}" for kind in KIND_NAMES),
)
"""All marks that `coverage` can return except users' marks, in the order of the reports; users' marks follow."""

_NEVER_DRAWN = ("throttled by a rate", "service error", "operator: purge", "operator: change")
"""Marks that need loads or code that no search draws, or operator actions that only a user can schedule."""
_OUTCOMES = {"raised": "errors", "timed_out": "timeouts", "crashed": "crashes"}
_MAX_RECEIVED = 10  # maximum messages of one receive


def coverage(history: History) -> tuple[str, ...]:
    """Return the marks that a run reached, in the order of `COVERAGE_MARKS`; users' marks follow."""
    seen = {mark: True for event in history.events for mark in _marks(event)}
    seen.update(dict.fromkeys(_of_the_whole(history), True))
    return in_order(seen)


def reachable(design: Design, points: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the marks that a search of a design can reach; `points`: names of fault points in its handlers."""
    mappings = [mapping for mapping in design.mappings if mapping.enabled]
    fifo = all(design.queue(mapping.queue).fifo for mapping in mappings)
    unreserved = [f for f in design.functions if f.reserved_concurrency is None]
    redriven = any(design.queue(mapping.queue).redrive for mapping in mappings)
    needs = {
        "throttled by the account": bool(unreserved),
        "fault account_full": bool(unreserved),
        "dead-lettered": redriven,
        "operator: redrive": redriven,
        "partial batch failure": any(mapping.report_batch_item_failures for mapping in mappings),
        "filtered out": any(mapping.filters for mapping in mappings),
        "batch of several": any(mapping.batch_size > 1 for mapping in mappings),
        "batch larger than a receive": any(mapping.batch_size > _MAX_RECEIVED for mapping in mappings),
        "several message groups": fifo,
        "maximum concurrency": any(mapping.maximum_concurrency for mapping in mappings),
        f"fault {FAULT_POINT}": any(":" not in point for point in points),
        **{
            f"fault {kind.name}": any(":" in point for point in points)
            for kind in KINDS
            if kind.injection_point == "call"
        },
        **{f"fault {kind.name}": not fifo for kind in KINDS if kind.standard_only},
    }
    return tuple(mark for mark in COVERAGE_MARKS if mark not in _NEVER_DRAWN and needs.get(mark, True))


def in_order(marks: Collection[str]) -> tuple[str, ...]:
    """Return each mark once: first in the order of `COVERAGE_MARKS`, then users' marks in their order of arrival."""
    return (
        *(mark for mark in COVERAGE_MARKS if mark in marks),
        *(mark for mark in marks if mark.startswith(f"{SOMETIMES} ")),
    )


def _marks(event: events.Event) -> Iterator[str]:  # noqa: C901, PLR0912 - one case a kind of event
    match event:
        case events.Throttled(fault=""):
            yield from _throttled(event)
        case events.Released(why="throttled"):
            yield "given up after throttles"
        case events.DeadLettered():
            yield "dead-lettered"
        case events.Returned(fault=""):
            yield "visibility expired"
        case events.Expired():
            yield "expired"
        case events.PollersChanged(why="messages wait"):
            yield "more pollers"
        case events.PollersChanged(why="nothing to do"):
            yield "fewer pollers"
        case events.ReceivedNothing():
            yield "idle pollers"
        case events.Received() if max(event.receive_counts, default=0) > 1:
            yield "received again"
        case events.InvocationStarted():
            yield from _started(event)
        case events.InvocationEnded():
            yield from _ended(event)
        case events.ServiceFailed(fault=""):
            yield "service error"
        case events.Deleted(fault="") if event.stayed:
            yield "late delete"
        case events.FilteredOut():
            yield "filtered out"
        case events.Operated():
            yield f"operator: {event.kind}"
        case events.Reached():
            yield f"{SOMETIMES} {event.mark}"
        case _:
            pass
    fault = _fault(event)
    if fault:
        yield f"fault {fault.partition(' ')[0].partition(':')[0]}"


def _fault(event: events.Event) -> str:
    fault: object = getattr(event, "fault", "")
    return fault if isinstance(fault, str) else ""


def _throttled(event: events.Throttled) -> Iterator[str]:
    yield "throttled"
    if event.reason == "ConcurrentInvocationLimitExceeded":
        yield "throttled by the account"
    elif event.reason.endswith("RateLimitExceeded"):
        yield "throttled by a rate"


def _started(event: events.InvocationStarted) -> Iterator[str]:
    if len(event.messages) > 1:
        yield "batch of several"
    if len(event.messages) > _MAX_RECEIVED:
        yield "batch larger than a receive"


def _ended(event: events.InvocationEnded) -> Iterator[str]:
    if event.outcome in _OUTCOMES:
        yield _OUTCOMES[event.outcome]
    if event.failed:
        yield "partial batch failure"


def _of_the_whole(history: History) -> Iterator[str]:
    """Yield the marks that no single event shows."""
    groups = {event.group: True for event in history.events if isinstance(event, events.Sent) and event.group}
    if len(groups) > 1:
        yield "several message groups"
    if history.scenario.faults.pauses:
        yield "pause"
    limits = {mapping.name: mapping.maximum_concurrency for mapping in history.scenario.design.mappings}
    running, by_message = dict[str, int](), dict[int, int]()
    for event in history.events:
        if isinstance(event, events.InvocationStarted):
            running[event.mapping] = running.get(event.mapping, 0) + 1
            if running[event.mapping] == limits.get(event.mapping):
                yield "maximum concurrency"
            if any(by_message.get(message) for message in event.messages):
                yield "in two batches at once"
            by_message.update((message, by_message.get(message, 0) + 1) for message in event.messages)
        elif isinstance(event, events.InvocationEnded):
            running[event.mapping] = running.get(event.mapping, 1) - 1
            by_message.update((message, by_message.get(message, 1) - 1) for message in event.messages)


def margins(history: History) -> dict[str, float]:
    """Return how near a run came to limits, as shares of these; the search maximizes them.

    `throttled`: the largest number of throttled deliveries of a message, relative to its queue's maxReceiveCount.
    `received`: the same for all deliveries of a message. `age`: the longest time from a message's first receive to its
    last, relative to maxReceiveCount visibility timeouts. A queue without redrive policy counts as having
    maxReceiveCount 10. `concurrency`: the largest share of a function's concurrency limit that was in use.
    """
    queues = {queue.name: queue for queue in history.scenario.design.queues}
    most = {"throttled": 0.0, "received": 0.0, "age": 0.0, "concurrency": _concurrency(history)}
    for deliveries in history.deliveries.values():
        queue = queues[deliveries[0].queue]
        granted = 10 if queue.redrive is None else queue.redrive.max_receive_count
        throttled = sum(bool(delivery.throttles) for delivery in deliveries)
        first, last = (history.events[deliveries[index].received].at for index in (0, -1))
        most["throttled"] = max(most["throttled"], throttled / granted)
        most["received"] = max(most["received"], len(deliveries) / granted)
        most["age"] = max(most["age"], (last - first) / 1000 / (granted * max(1, queue.visibility_timeout)))
    return most


def _concurrency(history: History) -> float:
    design, most = history.scenario.design, dict[str, int]()
    for event in history.events:
        if isinstance(event, events.InvocationStarted):
            most[event.function] = max(most.get(event.function, 0), event.running)
    return max((busy / max(1, design.concurrency_limit(name)) for name, busy in most.items()), default=0.0)

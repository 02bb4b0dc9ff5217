"""What a run reached: the catalogue by which a search shows that it could have found something (search-notes 2.4)."""

from __future__ import annotations

from collections.abc import Iterator

from chaosqs.model.event import (
    DeadLettered,
    Deleted,
    Event,
    Expired,
    InvocationEnded,
    PollersChanged,
    Received,
    Returned,
    ServiceFailed,
    Throttled,
)
from chaosqs.model.fault import KIND_NAMES
from chaosqs.model.history import History

MARKS = (
    "throttled",
    "dead-lettered",
    "visibility expired",
    "received again",
    "errors",
    "timeouts",
    "crashes",
    "expired",
    "late delete",
    "more pollers",
    *(f"fault {kind}" for kind in KIND_NAMES),
)
"""Everything that `reached` can return, in the order in which reports list it."""

_OUTCOMES = {"raised": "errors", "timed_out": "timeouts", "crashed": "crashes"}


def reached(history: History) -> tuple[str, ...]:
    """Return the marks that a run reached, in the order of `MARKS`."""
    seen = {mark for event in history.events for mark in _marks(event)}
    return tuple(mark for mark in MARKS if mark in seen)


def _marks(event: Event) -> Iterator[str]:
    match event:
        case Throttled(fault=""):
            yield "throttled"
        case DeadLettered():
            yield "dead-lettered"
        case Returned():
            yield "visibility expired"
        case Expired():
            yield "expired"
        case PollersChanged(why="messages wait"):
            yield "more pollers"
        case Received() if max(event.receive_counts, default=0) > 1:
            yield "received again"
        case InvocationEnded() if event.outcome in _OUTCOMES:
            yield _OUTCOMES[event.outcome]
        case Deleted(fault="") if event.stayed:
            yield "late delete"
        case _:
            pass
    if isinstance(event, Received | Throttled | ServiceFailed | InvocationEnded | Deleted) and event.fault:
        yield f"fault {event.fault.partition(' ')[0]}"


def margins(history: History) -> dict[str, float]:
    """Return how near a run came to trouble, as shares of what is granted: what the search climbs.

    `throttled` is the largest share of a message's deliveries that throttling struck, `received` that of all its
    deliveries; a queue without redrive policy counts as granting 10 deliveries.
    """
    queues = {queue.name: queue for queue in history.scenario.design.queues}
    most = {"throttled": 0.0, "received": 0.0}
    for deliveries in history.deliveries.values():
        redrive = queues[deliveries[0].queue].redrive
        granted = 10 if redrive is None else redrive.max_receive_count
        throttled = sum(bool(delivery.throttles) for delivery in deliveries)
        most["throttled"] = max(most["throttled"], throttled / granted)
        most["received"] = max(most["received"], len(deliveries) / granted)
    return most

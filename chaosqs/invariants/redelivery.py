"""Reasons why a message was delivered again while, or after, a function worked on it: the design, or a fault.

The visibility timeout counts from the receive, so a batching window, retries and a slow function use it up (EP-10). A
fault excuses a second delivery if it made the message visible too early, prevented its delete, or took more time than
was missing.

A fault is an excuse for now: a design with ordinary settings may bear it. So the violation is a candidate as well,
which counts if an ordinary configuration has none under the same faults. Other invariants excuse in the same way.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

import attrs

from chaosqs.invariants.verdicts import listed
from chaosqs.model.delivery import Delivery
from chaosqs.model.design import Design, Queue
from chaosqs.model.events import (
    Deleted,
    Event,
    Held,
    InvocationEnded,
    InvocationStarted,
    Operated,
    Received,
    Released,
    Returned,
    ServiceFailed,
    Throttled,
)
from chaosqs.model.history import History
from chaosqs.model.time import clock_text
from chaosqs.model.verdict import Violation

# Limits of deliveries -------------------------------------------------------------------------------------------------


@attrs.define
class RedriveLimits:
    """The current max_receive_count of each queue that has a redrive policy."""

    counts: dict[str, int]

    @classmethod
    def of(cls, design: Design) -> RedriveLimits:
        """Return the limits of a design."""
        return cls({queue.name: queue.redrive.max_receive_count for queue in design.queues if queue.redrive})

    def change(self, event: Operated) -> None:
        """Apply an operator's change, if it concerns a limit."""
        if event.setting == "max_receive_count" and event.target in self.counts and event.value.isdigit():
            self.counts[event.target] = int(event.value)


# Ordinary configurations ----------------------------------------------------------------------------------------------

_TIMEOUTS, _RECEIVES = 6, 5
"""Function timeouts that a visibility timeout has, and receives before dead-lettering, as AWS advises at least."""
_RETENTION = 345_600  # seconds: AWS's default (RT-1)
_MOST_VISIBILITY = 43_200  # seconds (VT-1)
_OPERATED = "an operator changed"


def ordinary(design: Design) -> Design:
    """Return a design with settings as AWS advises them; what has more keeps it.

    The visibility timeout is six function timeouts and the batching window, a redrive policy grants five receives,
    messages are kept for AWS's default, and partial batch responses are on.
    """
    queues = list[Queue]()
    for queue in design.queues:
        polling = [mapping for mapping in design.mappings if mapping.queue == queue.name]
        needs = [_TIMEOUTS * design.function(each.function).timeout + each.maximum_batching_window for each in polling]
        visibility = max(queue.visibility_timeout, min(max(needs, default=0), _MOST_VISIBILITY))
        redrive = queue.redrive
        if redrive is not None:
            redrive = attrs.evolve(redrive, max_receive_count=max(redrive.max_receive_count, _RECEIVES))
        kept = max(queue.retention_period, _RETENTION)
        queues.append(attrs.evolve(queue, visibility_timeout=visibility, redrive=redrive, retention_period=kept))
    mappings = [attrs.evolve(mapping, report_batch_item_failures=True) for mapping in design.mappings]
    return attrs.evolve(design, queues=queues, mappings=mappings)


def preventable(history: History, violation: Violation, fault: str, settings: Sequence[str]) -> list[Violation]:
    """Return the candidate for a violation that is excused; none if no ordinary setting might have prevented it.

    `fault`: the fault or the operator that excuses it; no setting stops an operator. `settings`: the settings of the
    queue that might have prevented it: `visibility_timeout`, `retention_period`.
    """
    if fault.startswith(_OPERATED):
        return []
    design = history.scenario.design
    pairs = zip(design.queues, ordinary(design).queues, strict=True)
    changed = [(_settings(now), _settings(then)) for now, then in pairs if now.name == violation.queue]
    more = [
        f"{name} {then[name]:,} instead of {now[name]:,}"
        for now, then in changed
        for name in settings
        if then[name] != now[name]
    ]
    if not more:
        return []
    text = f"{violation.text} The fault {fault} had its share, but an ordinary configuration bears it: {listed(more)}."
    return [attrs.evolve(violation, text=text)]


def _settings(queue: Queue) -> dict[str, int]:
    return {
        "visibility_timeout": queue.visibility_timeout,
        "retention_period": queue.retention_period,
    }


# Reasons of repeated deliveries ---------------------------------------------------------------------------------------

_SHOWING = "duplicate"  # the fault of a receive that leaves its messages visible
_DELAYING = "slow_receive"  # the fault of a receive that takes time
_EXCUSING_CHANGES = ("visibility_timeout", "timeout", "maximum_batching_window")  # settings; no design can foresee them
DECIDING = ("visibility_timeout",)
"""Settings of a queue that decide whether a delay makes a message visible too early."""
_NOTABLE = 1_000  # milliseconds between receive and invocation from which a text mentions them


def handed(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """Return the deliveries that started an invocation, in the order of the starts."""
    return sorted(
        (delivery for delivery in deliveries if delivery.started is not None),
        key=lambda delivery: delivery.started or 0,
    )


def excuse(history: History, first: Delivery, second: Delivery) -> str:
    """Return the fault without which the second delivery of a message would not have met the first, or nothing."""
    delays: list[str] = []
    sooner, later = sorted((first, second), key=lambda delivery: delivery.received)
    faulted = history.faulted
    for index in faulted[bisect_left(faulted, sooner.received) : bisect_left(faulted, later.received)]:
        shown, delayed = _injected(history.events[index], first)
        if shown:
            return shown
        if delayed:
            delays.append(delayed)
    delays.extend(_queued(history, sooner))
    if sooner.throttled_by and all(sooner.throttled_by):
        delays.append(sooner.throttled_by[0])
    if delays and (sooner is second or _missing(history, first, second) <= _lost(history, first)):
        return delays[0]
    return next((_change_text(event) for _, event in history.each(Operated) if event.setting in _EXCUSING_CHANGES), "")


def late(history: History, delivery: Delivery) -> str:
    """Return the fault that kept a delivery from its invocation, or nothing."""
    faulted = history.faulted
    for index in faulted[bisect_left(faulted, delivery.received) : bisect_left(faulted, delivery.started or 0)]:
        _, delayed = _injected(history.events[index], delivery)
        if delayed:
            return delayed
    return next(_queued(history, delivery), "")


def _change_text(event: Operated) -> str:
    return f"{_OPERATED} {event.setting} of {event.target} to {event.value}"


def _injected(event: Event, first: Delivery) -> tuple[str, str]:
    """Return the fault that made a message visible or prevented its delete, and the one that took time, or nothing."""
    message = first.message
    match event:
        case Received() if message in event.messages and event.poller and event.fault:
            kind = event.fault.partition(" ")[0]
            return (event.fault if kind == _SHOWING else "", event.fault if kind == _DELAYING else "")
        case Returned() if event.message == message:
            return event.fault, ""
        case Deleted() | Released() if message in event.messages:
            return event.fault, ""
        case InvocationEnded(answered=False) if message in event.messages:
            return event.fault, ""
        case Held() | InvocationStarted() | ServiceFailed() if message in event.messages:
            return "", event.fault
        case _:
            return "", ""


def _queued(history: History, delivery: Delivery) -> Iterator[str]:
    """Yield the faults that delayed the batch before: messages that its payload could not hold wait for it (EP-9)."""
    received = history.events[delivery.received]
    assert isinstance(received, Received), f"{delivery.received} is noted as a receive, but is {received}"
    faulted = history.faulted
    for index in faulted[bisect_left(faulted, delivery.received) : bisect_left(faulted, delivery.started or 0)]:
        event = history.events[index]
        match event:
            case Held() | InvocationStarted() | Throttled() if delivery.message not in event.messages:
                if (event.mapping, event.poller) == (received.mapping, received.poller):
                    yield event.fault
            case _:
                pass


def _missing(history: History, first: Delivery, second: Delivery) -> int:
    """Return the milliseconds by which the first delivery ended too late for the second one."""
    end = history.ended_at_ms if first.ended is None else history.events[first.ended].at
    return max(0, end - history.events[second.received].at)


def _lost(history: History, first: Delivery) -> int:
    """Return the maximum milliseconds that faults took: all before the handler's own time."""
    events = history.events
    end = None if first.ended is None else events[first.ended]
    until = end.at - end.duration if isinstance(end, InvocationEnded) else history.ended_at_ms
    return until - events[first.received].at


def why_again(history: History, first: Delivery) -> str:
    """Return a clause on a delivery's visibility timeout, which was too short, and the wait before the invocation."""
    received = history.events[first.received]
    assert isinstance(received, Received), f"{first.received} is noted as a receive, but is {received}"
    hidden = received.visible_at - received.at
    waited = 0 if first.started is None else history.events[first.started].at - received.at
    wait = f", {clock_text(waited)} of which passed before the invocation" if waited >= _NOTABLE else ""
    return f"its visibility timeout was {clock_text(hidden)}{wait}"

"""No message expires before a function has seen it: it would be lost although nothing had failed (RT-1, DL-1).

A delay that is not shorter than the retention period hides every message until it is gone. A backlog that takes longer
than the retention period does the same to the messages at its end. Without a redrive policy, so does throttling: the
pollers receive a message again and again, and no execution is ever free for it (ES-8).
"""

from bisect import bisect_left
from collections.abc import Sequence

from chaosqs.invariants.no_dead_lettering_by_throttling import account
from chaosqs.invariants.redelivery import DECIDING, preventable
from chaosqs.invariants.verdicts import Invariant, function_of, judged, listed, message_text, not_applicable, unique
from chaosqs.model.delivery import Delivery, Ending
from chaosqs.model.design import Queue
from chaosqs.model.events import Expired, Operated
from chaosqs.model.history import History
from chaosqs.model.time import clock_text, milliseconds
from chaosqs.model.verdict import Verdict, Violation

NAME = "no-expiry-unseen"


def judge(history: History) -> Verdict:
    """Blame the end of each message that no function had seen, unless a fault or an operator was in the way."""
    design = history.scenario.design
    polled = {mapping.queue for mapping in design.mappings if mapping.enabled}
    if not polled:
        return not_applicable(NAME, "the design has no mapping that polls")
    own = [message for message, sent in history.sent.items() if sent.queue in polled]
    violations, excused, candidates = list[Violation](), list[str](), list[Violation]()
    queues = {queue.name: queue for queue in design.queues}
    for index, event in history.each(Expired):
        received = [one for one in history.deliveries.get(event.message, ()) if one.queue == event.queue]
        if event.queue not in polled or any(map(_is_seen, received)):
            continue
        queue = queues[event.queue]
        fault = "" if _hides_all(queue) else _excuse(history, event, index)
        violation = _violation(history, event, index, queue, received)
        if fault:
            excused.append(f"{message_text(event.message)} expired in {event.queue} unseen, but: {fault}")
            candidates += preventable(history, violation, fault, ("retention_period", *DECIDING))
        else:
            violations.append(violation)
    idle = "no message was sent to a queue that a mapping polls"
    return judged(NAME, violations, len(own), idle, excused, candidates=candidates)


def _is_seen(delivery: Delivery) -> bool:
    """Return True if a function or a client had the message, or if a filter refused it."""
    return delivery.started is not None or not delivery.mapping or delivery.ending is Ending.FILTERED


def _hides_all(queue: Queue) -> bool:
    return queue.delay >= queue.retention_period


def _excuse(history: History, event: Expired, index: int) -> str:
    """Return the first fault, or change by an operator, while the message waited, or nothing."""
    came = 0 if event.cause is None else event.cause
    changed = next((change for at, change in history.each(Operated) if came < at < index), None)
    if changed is not None:
        return f"an operator changed {changed.target}" + (f" ({changed.fault})" if changed.fault else "")
    place = bisect_left(history.faulted, came)
    found = history.faulted[place : place + 1]
    fault: object = getattr(history.events[found[0]], "fault", "") if found and found[0] < index else ""
    return str(fault)


def _violation(history: History, event: Expired, index: int, queue: Queue, received: Sequence[Delivery]) -> Violation:
    retention = clock_text(milliseconds(queue.retention_period))
    expired = f"{message_text(event.message)} expired in {event.queue}"
    within = f"within its retention period of {retention}"
    if received:
        functions = listed(unique(function_of(delivery.mapping) for delivery in received))
        why = f" although {functions} never saw it {within}: {account(history, received)}"
    elif _hides_all(queue):
        why = (
            f" before any poller could receive it: its delay of {clock_text(milliseconds(queue.delay))} is not shorter "
            f"than its retention period of {retention}"
        )
    else:
        why = f" although no poller had received it {within}"
    ends = [*received[:1], *received[1:][-1:]]
    met = (place for delivery in ends for place in (delivery.received, *delivery.throttles[:1], delivery.ended))
    before = sorted({place for place in (event.cause, *met) if place is not None and place < index})
    return Violation(NAME, f"{expired}{why}.", event.at, event.queue, (event.message,), (*before, index))


NO_EXPIRY_UNSEEN = Invariant(
    name=NAME,
    title="no expiry unseen",
    statement="No message expires in a polled queue before a function has seen it.",
    applies="To designs with a mapping that polls; exercised when a message is sent to its queue.",
    unit="messages",
    default=True,
    judge=judge,
)

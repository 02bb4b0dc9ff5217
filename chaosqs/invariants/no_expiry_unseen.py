"""No message expires before a poller has received it: it would be lost although nothing had failed (RT-1, DL-1).

A delay that is not shorter than the retention period hides every message until it is gone. A backlog that takes longer
than the retention period does the same to the messages at its end.
"""

from bisect import bisect_left

from chaosqs.invariants.verdicts import Invariant, judged, message_text, not_applicable
from chaosqs.model.design import Queue
from chaosqs.model.events import Expired, Operated
from chaosqs.model.history import History
from chaosqs.model.time import clock_text, milliseconds
from chaosqs.model.verdict import Verdict, Violation

NAME = "no-expiry-unseen"


def judge(history: History) -> Verdict:
    """Blame the end of each message that no poller had received, unless a fault or an operator was in the way."""
    design = history.scenario.design
    polled = {mapping.queue for mapping in design.mappings if mapping.enabled}
    if not polled:
        return not_applicable(NAME, "the design has no mapping that polls")
    own = [message for message, sent in history.sent.items() if sent.queue in polled]
    violations, excused = list[Violation](), list[str]()
    queues = {queue.name: queue for queue in design.queues}
    for index, event in history.each(Expired):
        if event.queue not in polled or history.deliveries.get(event.message):
            continue
        queue = queues[event.queue]
        fault = "" if _hides_all(queue) else _excuse(history, event, index)
        if fault:
            excused.append(f"{message_text(event.message)} expired in {event.queue} unseen, but: {fault}")
        else:
            violations.append(_violation(event, index, queue))
    return judged(NAME, violations, len(own), "no message was sent to a queue that a mapping polls", excused)


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


def _violation(event: Expired, index: int, queue: Queue) -> Violation:
    retention = clock_text(milliseconds(queue.retention_period))
    expired = f"{message_text(event.message)} expired in {event.queue}"
    if _hides_all(queue):
        why = (
            f" before any poller could receive it: its delay of {clock_text(milliseconds(queue.delay))} is not shorter "
            f"than its retention period of {retention}"
        )
    else:
        why = f" although no poller had received it within its retention period of {retention}"
    sent = () if event.cause is None else (event.cause,)
    return Violation(NAME, f"{expired}{why}.", event.at, event.queue, (event.message,), (*sent, index))


NO_EXPIRY_UNSEEN = Invariant(
    name=NAME,
    title="no expiry unseen",
    statement="No message expires in a polled queue before a poller has received it.",
    applies="To designs with a mapping that polls; exercised when a message is sent to its queue.",
    unit="messages",
    default=True,
    judge=judge,
)

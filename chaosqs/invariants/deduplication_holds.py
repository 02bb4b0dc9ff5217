"""All sends to a FIFO queue with one deduplication id within five minutes result in one message (FF-5, FF-6).

The id of a workload's message without contents of its own is its number; copies that its producer sends again have the
same id. The scope is the queue, or each of its message groups (FF-7). A purge makes the queue forget all ids (PQ-3).
"""

from chaosqs.invariants.verdicts import Invariant, judged, message_text, messages_text, not_applicable
from chaosqs.model.events import Deduplicated, Deleted, Event, Sent
from chaosqs.model.history import History
from chaosqs.model.time import MINUTE, clock_text
from chaosqs.model.verdict import Verdict, Violation

NAME = "deduplication-holds"
INTERVAL = 5 * MINUTE  # FF-5

_Key = tuple[str, str, str]
"""Queue, scope and deduplication id."""


def judge(history: History) -> Verdict:
    """Blame each message of a FIFO queue that repeats a message of the last five minutes."""
    scopes = {queue.name: queue.deduplication_scope for queue in history.scenario.design.queues if queue.fifo}
    if not scopes:
        return not_applicable(NAME, "the design has no FIFO queue")
    purges = [(index, event.queue) for index, event in history.each(Deleted) if event.fault == "PurgeQueue"]
    known: dict[_Key, tuple[int, Sent]] = {}
    exercised, violations = len(list(history.each(Deduplicated))), list[Violation]()
    for index, event in history.each(Sent):
        if event.queue not in scopes or _moved(history.events, event):
            continue
        exercised += bool(event.deduplication_id or event.copy_of is not None or event.fault)
        while purges and purges[0][0] < index:
            queue = purges.pop(0)[1]
            known = {key: entry for key, entry in known.items() if key[0] != queue}
        key = _key(event, scopes[event.queue])
        first = known.get(key)
        if first is not None and event.at - first[1].at < INTERVAL:
            violations.append(_violation(first, index, event))
        else:
            known[key] = index, event
    return judged(NAME, violations, exercised, "nobody sent a message that could have been a duplicate")


def _moved(events: tuple[Event, ...], event: Sent) -> bool:
    """Return True if a message was moved out of a dead-letter queue, which is not a send (MV-4)."""
    return event.cause is not None and isinstance(events[event.cause], Deleted)


def _key(event: Sent, scope: str) -> _Key:
    own = event.message if event.copy_of is None else event.copy_of
    return event.queue, event.group if scope == "messageGroup" else "", event.deduplication_id or f"message {own}"


def _violation(first: tuple[int, Sent], index: int, event: Sent) -> Violation:
    before, original = first
    repeats = (
        f"{message_text(event.message)} is in {event.queue} although it repeats {messages_text([original.message])}"
    )
    text = f"{repeats}, which was sent {clock_text(event.at - original.at)} before. This is a bug of chaosqs."
    messages = (event.message, original.message)
    return Violation(NAME, text, event.at, event.queue, messages, (before, index))


DEDUPLICATION_HOLDS = Invariant(
    name=NAME,
    title="deduplication holds",
    statement="Of all sends to a FIFO queue with one deduplication id within five minutes, one message comes of it.",
    applies="To designs with a FIFO queue; exercised by sends with a deduplication id of their own, and by those that "
    "a producer repeats.",
    unit="sends",
    default=True,
    judge=judge,
    internal=True,
)

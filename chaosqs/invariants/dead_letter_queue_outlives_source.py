"""No message expires in a dead-letter queue early because of the age that it brought from its source.

In a standard dead-letter queue, retention counts from when the message was sent to the source (DLQ-9). If the
dead-letter queue's retention period is not longer than the source's, it keeps a message that was retried for days only
for hours, or not at all. FIFO queues count from the move (DLQ-10).
"""

from collections.abc import Iterator

from chaosqs.invariants.verdicts import Invariant, judged, message_text, not_applicable
from chaosqs.model.events import DeadLettered, Expired, Operated
from chaosqs.model.history import History
from chaosqs.model.time import clock_text, milliseconds
from chaosqs.model.verdict import Verdict, Violation

NAME = "dead-letter-queue-outlives-source"


def judge(history: History) -> Verdict:
    """Blame each early expiry in a dead-letter queue whose retention period is not longer than its source's."""
    queues = history.scenario.design.queues
    if all(queue.fifo or queue.redrive is None for queue in queues):
        return not_applicable(NAME, "no standard queue has a dead-letter queue")
    if not history.dead_lettered:
        return judged(NAME, (), 0, "no dead letter expired")
    retention = {queue.name: milliseconds(queue.retention_period) for queue in queues if not queue.fifo}
    moves: dict[tuple[str, int], tuple[int, DeadLettered]] = {}
    exercised, violations = 0, list[Violation]()
    for index, event in _in_order(history):
        match event:
            case DeadLettered():
                moves[event.target, event.message] = index, event
            case Operated(setting="retention_period") if event.target in retention and event.value.isdigit():
                retention[event.target] = milliseconds(int(event.value))
            case Expired() if event.queue in retention and (event.queue, event.message) in moves:
                exercised += 1
                moved, move = moves[event.queue, event.message]
                kept, source = retention[event.queue], retention.get(move.queue, 0)
                if kept <= source and event.at - move.at < kept:
                    violations.append(_violation((moved, index), move, event, kept, source))
            case _:
                pass
    return judged(NAME, violations, exercised, "no message expired in a dead-letter queue")


def _in_order(history: History) -> Iterator[tuple[int, DeadLettered | Expired | Operated]]:
    events: list[tuple[int, DeadLettered | Expired | Operated]] = [*history.each(DeadLettered)]
    events += history.each(Expired)
    events += history.each(Operated)
    yield from sorted(events, key=lambda entry: entry[0])


def _violation(indexes: tuple[int, int], move: DeadLettered, event: Expired, kept: int, source: int) -> Violation:
    there, brought = event.at - move.at, kept - (event.at - move.at)
    stay = f"after {clock_text(there)} there" if there else "as soon as it came"
    expired = f"{message_text(event.message)} expired in {event.queue} {stay}, {clock_text(brought)} too soon"
    why = f"it brought its age from {move.queue}, and both retention periods are {clock_text(kept)}"
    if kept < source:
        why = (
            f"it brought its age from {move.queue}, and {clock_text(kept)} are less than the {clock_text(source)} there"
        )
    return Violation(NAME, f"{expired}: {why}.", event.at, move.queue, (event.message,), indexes)


DEAD_LETTER_QUEUE_OUTLIVES_SOURCE = Invariant(
    name=NAME,
    title="dead-letter queue outlives source",
    statement="No message expires in a dead-letter queue early because of the age that it brought from its source.",
    applies="To designs in which a standard queue has a dead-letter queue; exercised when a message expires there.",
    unit="messages expired in a dead-letter queue",
    default=True,
    judge=judge,
)

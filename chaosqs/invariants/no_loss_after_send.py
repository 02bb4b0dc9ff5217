"""No message vanishes: each message that SQS accepted is in a queue at the end, or was taken out.

A message is taken out by a delete of a poller or a client, a filter, a purge, a move, or the end of its retention.
`at-least-once-delivery` judges whether a poller had a reason to delete. A history does not list the contents of queues.
But if a run is drained, the polled queues are empty, so a message that should be there is lost.
"""

from chaosqs.invariants.verdicts import Invariant, judged, message_text
from chaosqs.model.events import DeadLettered, Deleted, Expired, FilteredOut, Returned, Sent
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict, Violation

NAME = "no-loss-after-send"


def judge(history: History) -> Verdict:
    """Blame the last trace of each message that is in no queue although nothing took it out."""
    if not history.sent:
        return judged(NAME, (), 0, "no message was sent")
    if history.drained_at_ms is None:
        return judged(NAME, (), 0, "messages were left when the run ended, so none could be missed")
    polled = {mapping.queue for mapping in history.scenario.design.mappings if mapping.enabled}
    left = _left(history)
    violations = [
        _violation(history, message, queue, index) for message, (queue, index) in left.items() if queue in polled
    ]
    return judged(NAME, violations, len(history.sent), "")


def _left(history: History) -> dict[int, tuple[str, int]]:
    """Return, for each message that nothing took out, its queue and the index of the event that put it there."""
    left: dict[int, tuple[str, int]] = {}
    for index, event in history.besides_throttles:
        match event:
            case Sent() | Returned():
                left[event.message] = (event.queue, index)
            case DeadLettered():
                left[event.message] = (event.target, index)
            case Expired():
                left.pop(event.message, None)
            case Deleted():
                for message in event.messages:
                    if message not in event.stayed:
                        left.pop(message, None)
            case FilteredOut():
                for message in event.messages:
                    left.pop(message, None)
            case _:
                pass
    return left


def _violation(history: History, message: int, queue: str, index: int) -> Violation:
    gone = f"{message_text(message)} is gone from {queue} although nothing deleted, moved, filtered or expired it"
    text = f"{gone}. This is a bug of chaosqs, not of the design."
    return Violation(NAME, text, history.events[index].at, queue, (message,), (index,))


NO_LOSS_AFTER_SEND = Invariant(
    name=NAME,
    title="no loss after send",
    statement="Every message that SQS has accepted is in a queue at the end, or was deleted, filtered out, moved, "
    "purged or expired.",
    applies="To every design; exercised by the messages of a run that ends with empty queues.",
    unit="messages",
    default=True,
    judge=judge,
    internal=True,
)

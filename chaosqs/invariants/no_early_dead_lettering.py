"""No message goes to a dead-letter queue before it had all the deliveries that the redrive policy grants (DLQ-3).

Each queue of a chain grants its own deliveries (DLQ-20). A receive counts even if its answer is lost (DLQ-18, RX-8).
"""

from collections import Counter

from chaosqs.invariants.redelivery import RedriveLimits
from chaosqs.invariants.verdicts import Invariant, judged, message_text, not_applicable, times
from chaosqs.model.events import DeadLettered, Operated, Received
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict, Violation

NAME = "no-early-dead-lettering"


def judge(history: History) -> Verdict:
    """Blame each move of a message that had fewer deliveries than its queue grants."""
    limits = RedriveLimits.of(history.scenario.design)
    if not limits.counts:
        return not_applicable(NAME, "no queue has a redrive policy, so nothing is dead-lettered")
    moves = history.each(DeadLettered)
    if not moves:
        return judged(NAME, (), 0, "nothing was dead-lettered")
    violations: list[Violation] = []
    receives: Counter[tuple[str, int]] = Counter()
    for index, event in history.besides_throttles:
        match event:
            case Received():
                receives.update((event.queue, message) for message in event.messages)
            case Operated():
                limits.change(event)
            case DeadLettered():
                had, due = receives[event.queue, event.message], limits.counts.get(event.queue, 0)
                if had < due:
                    violations.append(_violation(index, event, had, due))
            case _:
                pass
    return judged(NAME, violations, len(moves), "")


def _violation(index: int, event: DeadLettered, had: int, due: int) -> Violation:
    moved = f"{message_text(event.message)} went from {event.queue} to {event.target}"
    although = f"was received only {times(had)}" if had else "was never received"
    text = f"{moved} although it {although} there: max_receive_count is {due:,}."
    return Violation(NAME, text, event.at, event.queue, (event.message,), (index,))


NO_EARLY_DEAD_LETTERING = Invariant(
    name=NAME,
    title="no early dead-lettering",
    statement="No message is dead-lettered before it had all the deliveries that its redrive policy grants.",
    applies="To designs with a redrive policy; exercised when a message is dead-lettered.",
    unit="messages dead-lettered",
    default=True,
    judge=judge,
    internal=True,
)

"""A dead letter can be looked at for a day, or another time that a team sets.

In a standard dead-letter queue, retention counts from when the message was sent to the source (DLQ-9): a message that
was retried for days is kept for the rest of the period only, and one that is older than that is gone on arrival. FIFO
queues count from the move (DLQ-10). What matters is the time that is left when a message comes, however the two
retention periods compare. A dead-letter queue that a mapping polls is looked at by its function: there only a message
that is gone on arrival is a violation.
"""

import re
from functools import partial

from chaosqs.invariants.verdicts import Invariant, judged, message_text, not_applicable
from chaosqs.model.design import Design, Queue
from chaosqs.model.events import DeadLettered, Expired, Operated
from chaosqs.model.history import History
from chaosqs.model.time import clock_text, milliseconds
from chaosqs.model.verdict import Verdict, Violation

NAME = "dead-letter-queue-outlives-source"
_DAY = 86_400  # seconds
_UNITS = ((86_400_000, "days"), (3_600_000, "hours"))


def dead_letters_kept(seconds: int = _DAY) -> Invariant:
    """Return the invariant that a dead letter can be looked at for a number of seconds, 1 or more."""
    if isinstance(seconds, bool) or seconds < 1:
        raise ValueError(f"seconds must be a whole number, 1 or more, not {seconds!r}")
    usual = seconds == _DAY
    return Invariant(
        name=NAME if usual else f"{NAME}-by-{seconds}-s",
        title="dead-letter queue outlives source" + ("" if usual else f" by {seconds} s"),
        statement=f"Every dead letter can be looked at for {'a day' if usual else _span(milliseconds(seconds))} before "
        "its retention ends, and none is gone on arrival.",
        applies="To designs in which a queue has a dead-letter queue; exercised when a message is dead-lettered. The "
        "time does not count in dead-letter queues that a mapping polls.",
        unit="messages dead-lettered",
        default=True,
        judge=partial(_judge, NAME if usual else f"{NAME}-by-{seconds}-s", milliseconds(seconds)),
    )


def named(name: str) -> Invariant | None:
    """Return the invariant of that name, or None if it is not of this family."""
    found = re.fullmatch(rf"{NAME}-by-([1-9]\d*)-s", name)
    return None if found is None else dead_letters_kept(int(found[1]))


def _judge(name: str, least: int, history: History) -> Verdict:
    """Blame each move that leaves too little time; `least`: milliseconds."""
    if all(queue.redrive is None for queue in history.scenario.design.queues):
        return not_applicable(name, "no queue has a dead-letter queue")
    moves = history.each(DeadLettered)
    violations, in_time = list[Violation](), dict[tuple[str, int], int]()
    for index, move in moves:
        design = history.design_at(index)
        queue = next((each for each in design.queues if each.name == move.target), None)
        sent = history.sent.get(move.message)
        if queue is None or sent is None:
            continue
        age = 0 if queue.fifo else move.at - sent.at
        left = milliseconds(queue.retention_period) - age
        if left <= 0 or (left < least and not _is_polled(design, move.target)):
            violations.append(_violation(name, least, (index, move), queue, age))
        else:
            in_time[move.target, move.message] = move.at
    excused = list(_shortened(history, in_time, least))
    return judged(name, violations, len(moves), "no message was dead-lettered", excused)


def _is_polled(design: Design, queue: str) -> bool:
    return any(mapping.queue == queue and mapping.enabled for mapping in design.mappings)


def _violation(name: str, least: int, moved: tuple[int, DeadLettered], queue: Queue, age: int) -> Violation:
    (index, move), kept = moved, milliseconds(queue.retention_period)
    if kept <= age:
        text = f"{message_text(move.message)} was gone as soon as it came to {move.target}"
    else:
        text = f"{message_text(move.message)} can be looked at in {move.target} for {_span(kept - age)} only"
    keeps = f"{move.target} keeps messages for {_span(kept)}"
    why = keeps if queue.fifo else f"it brought an age of {_span(age)} from {move.queue}, and {keeps} from the sending"
    limit = "" if kept <= age else f"; the limit is {_span(least)}"
    return Violation(name, f"{text}: {why}{limit}.", move.at, move.queue, (move.message,), (index,))


def _shortened(history: History, in_time: dict[tuple[str, int], int], least: int) -> list[str]:
    """Return a sentence for each message that expired too soon because an operator had shortened the retention."""
    changed = {event.target: event.value for _, event in history.each(Operated) if event.setting == "retention_period"}
    return [
        f"{message_text(event.message)} expired in {event.queue} too soon, but an operator changed retention_period of "
        f"{event.queue} to {changed[event.queue]}"
        for _, event in history.each(Expired)
        if event.queue in changed and event.at - in_time.get((event.queue, event.message), -least) < least
    ]


def _span(duration: int) -> str:
    """Return a time in the largest unit of which it has two."""
    for unit, plural in _UNITS:
        if duration >= 2 * unit:
            return f"{duration / unit:.4g} {plural}"
    return clock_text(duration)


DEAD_LETTER_QUEUE_OUTLIVES_SOURCE = dead_letters_kept()

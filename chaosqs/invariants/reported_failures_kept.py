"""Messages that a function reports as failed stay in the queue, and the others are deleted (section 10.3, PB-*).

This needs a mapping with `report_batch_item_failures` and a function that reports. Without the setting the report is
ignored, and the failed messages are deleted with the others (EF-2).
"""

from chaosqs.invariants.verdicts import Invariant, judged, message_text, messages_text, not_applicable
from chaosqs.model.events import Deleted, InvocationEnded, Released
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict, Violation

NAME = "reported-failures-kept"


def judge(history: History) -> Verdict:
    """Blame each delete of a failed message, and each missing delete of another message of the batch."""
    reading = {mapping.name: mapping.report_batch_item_failures for mapping in history.scenario.design.mappings}
    if not any(mapping.enabled for mapping in history.scenario.design.mappings):
        return not_applicable(NAME, "the design has no mapping that polls")
    answers = {
        index: event
        for index, event in history.each(InvocationEnded)
        if event.failed and event.outcome == "succeeded" and event.answered
    }
    if not answers:
        return judged(NAME, (), 0, "no function reported a message as failed")
    violations: list[Violation] = []
    excused: list[str] = []
    ends: list[tuple[int, Deleted | Released]] = [*history.each(Deleted)]
    for index, event in [*ends, *history.each(Released)]:
        answer = None if event.cause is None else answers.get(event.cause)
        if answer is None:
            continue
        if isinstance(event, Deleted):
            violations += _deleted(index, event, answer, reads=reading.get(answer.mapping, False))
        kept = _kept(event, answer)
        if kept and event.fault:
            excused.append(f"{_kept_text(kept[0], answer)}, but only by a fault: {event.fault}")
        else:
            violations += [_kept_violation(index, event, answer, message) for message in kept]
    exercised = sum(len(answer.messages) for answer in answers.values())
    violations.sort(key=lambda violation: violation.events[-1])
    return judged(NAME, violations, exercised, "", excused)


def _deleted(index: int, event: Deleted, answer: InvocationEnded, *, reads: bool) -> list[Violation]:
    """Blame the delete of messages that the function reported as failed."""
    why = "" if reads else ": report_batch_item_failures is off"  # EF-2
    return [
        Violation(
            NAME,
            f"{message_text(message)} was deleted from {event.queue} although {answer.function} reported it as "
            f"failed{why}.",
            event.at,
            event.queue,
            (message,),
            (*(() if event.cause is None else (event.cause,)), index),
        )
        for message in event.messages
        if message in answer.failed and message not in event.stayed
    ]


def _kept(event: Deleted | Released, answer: InvocationEnded) -> list[int]:
    """Return the messages that the function did not report as failed, and that the poller did not delete."""
    deleted = event.messages if isinstance(event, Deleted) else ()
    return [message for message in answer.messages if message not in answer.failed and message not in deleted]


def _kept_text(message: int, answer: InvocationEnded) -> str:
    reported = f"{answer.function} reported only {messages_text(answer.failed)} as failed"
    return f"{message_text(message)} was not deleted although {reported}"


def _kept_violation(index: int, event: Deleted | Released, answer: InvocationEnded, message: int) -> Violation:
    queue = event.mapping.partition("→")[0]
    indexes = (*(() if event.cause is None else (event.cause,)), index)
    return Violation(NAME, f"{_kept_text(message, answer)}.", event.at, queue, (message,), indexes)


REPORTED_FAILURES_KEPT = Invariant(
    name=NAME,
    title="reported failures kept",
    statement="A message that a function reports as failed stays in the queue, and the others of its batch are "
    "deleted.",
    applies="To designs with a mapping that polls; exercised when a function reports messages as failed.",
    unit="messages of answers with failures",
    default=True,
    judge=judge,
)

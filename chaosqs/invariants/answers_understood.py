"""An answer of a function with partial batch responses is one that Lambda reads.

If Lambda cannot read the answer, or an item of it names no message of the batch, all messages count as failed, healthy
ones too (PB-5 … PB-9, PB-17). If the list has another name, nothing counts as failed, and the failed messages are
deleted (PB-11). Sources disagree about some answers: see `Assumptions.other_answers_fail` and `other_shapes_fail`.

A model always answers well, so this is about real code. Answers that no one can take for a report (`{"statusCode":
200}`) count only if they make messages fail.
"""

from chaosqs.invariants.verdicts import Invariant, function_of, judged, message_text, messages_text, not_applicable
from chaosqs.model.events import InvocationEnded
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict, Violation

NAME = "answers-understood"

_MEANINGS = {
    "PB-5": "is not JSON",
    "PB-6": "has an `itemIdentifier` that is empty",
    "PB-7": "has an `itemIdentifier` that is null",
    "PB-8": "has an item without `itemIdentifier`",
    "PB-9": "has an `itemIdentifier` that is not the messageId of a message of the batch",
    "PB-11": "has no `batchItemFailures`",
    "PB-17": "is not a JSON object with a list `batchItemFailures`",
}


def judge(history: History) -> Verdict:
    """Blame each answer that Lambda does not read as it was meant."""
    reading = [
        mapping
        for mapping in history.scenario.design.mappings
        if mapping.enabled and mapping.report_batch_item_failures
    ]
    if not reading:
        return not_applicable(NAME, "no mapping has report_batch_item_failures")
    names = [mapping.name for mapping in reading if history.is_real(mapping.function)]
    if not names:
        return not_applicable(NAME, f"{function_of(reading[0].name)} is not real code")
    answers = [
        (index, event)
        for index, event in history.each(InvocationEnded)
        if event.mapping in names and event.outcome == "succeeded"
    ]
    wrong = [(index, event) for index, event in answers if event.answer and event.rule in _MEANINGS]
    violations = [_violation(index, event) for index, event in wrong if not event.fault]
    excused = [f"{_text(event)} ({event.fault})" for _, event in wrong if event.fault]
    return judged(NAME, violations, len(answers), "no function answered", excused)


def _violation(index: int, event: InvocationEnded) -> Violation:
    queue = event.mapping.partition("→")[0]
    cause = () if event.cause is None else (event.cause,)
    return Violation(NAME, f"{_text(event)}.", event.at, queue, event.messages, (*cause, index))


def _text(event: InvocationEnded) -> str:
    who = message_text(event.messages[0]) if len(event.messages) == 1 else messages_text(event.messages).capitalize()
    if event.failed:
        verb = "counts" if len(event.messages) == 1 else "count"
        fate = f"{who} {verb} as failed, whatever {event.function} did"
    else:
        verb = "is" if len(event.messages) == 1 else "are"
        fate = f"{who} {verb} deleted as processed, whatever {event.function} reported"
    place = f" ({event.trace[-1]})" if event.trace else ""
    return f"{fate}: its answer {event.answer}{place} {_MEANINGS[event.rule]}"


ANSWERS_UNDERSTOOD = Invariant(
    name=NAME,
    title="answers understood",
    statement="Every answer of a function with partial batch responses is one that Lambda reads as it was meant.",
    applies="To designs with report_batch_item_failures and a function that is real code; exercised when it answers.",
    unit="answers",
    default=True,
    judge=judge,
)

"""No message goes round between functions and queues until Lambda's guard against recursive loops drops it.

After about 16 invocations of a function in one chain of messages, Lambda refuses the next (LX-16). The batch is not
deleted: it comes back, and is refused again, until it is dead-lettered or its retention is over (LX-17).
"""

from chaosqs.invariants.verdicts import Invariant, judged, message_text, not_applicable, times
from chaosqs.model.events import InvocationStarted, ServiceFailed
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict, Violation

NAME = "no-recursive-loop"
_DROPPED = "RecursiveInvocationException"


def is_dropped(history: History, index: int | None) -> bool:
    """Return True if an event is a refusal by the guard."""
    event = None if index is None else history.events[index]
    return isinstance(event, ServiceFailed) and event.reason == _DROPPED


def judge(history: History) -> Verdict:
    """Blame the first refusal of each message by the guard."""
    if not any(history.is_real(mapping.function) for mapping in history.scenario.design.mappings):
        return not_applicable(NAME, "only real code sends messages, and no function is real code")
    violations: dict[int, Violation] = {}
    for index, event in history.each(ServiceFailed):
        if not is_dropped(history, index):
            continue
        for message in event.messages:
            if message not in violations:
                violations[message] = _violation(history, index, event, message)
    by_code = sum(
        sent.cause is not None and isinstance(history.events[sent.cause], InvocationStarted)
        for sent in history.sent.values()
    )
    return judged(NAME, tuple(violations.values()), max(by_code, len(violations)), "no function sent a message")


def _violation(history: History, index: int, event: ServiceFailed, message: int) -> Violation:
    queue = event.mapping.partition("→")[0]
    known = next((each for each in history.scenario.design.queues if each.name == queue), None)
    redrive = None if known is None else known.redrive
    then = (
        "it comes back until its retention is over"
        if redrive is None
        else f"it goes to {redrive.dead_letter_queue} after being received {times(redrive.max_receive_count)}"
    )
    text = (
        f"{message_text(message)} never reached {event.function}: Lambda's guard against recursive loops dropped it, "
        f"as the messages before it went through {event.function} about 16 times; {then}."
    )
    cause = () if event.cause is None else (event.cause,)
    return Violation(NAME, text, event.at, queue, (message,), (*cause, index))


NO_RECURSIVE_LOOP = Invariant(
    name=NAME,
    title="no recursive loop",
    statement="No message goes round through a function until Lambda's guard against recursive loops drops it.",
    applies="To designs with functions that are real code; exercised when code sends a message.",
    unit="messages sent by code",
    default=True,
    judge=judge,
)

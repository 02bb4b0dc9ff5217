"""An effect that the user's code records happens at most once for each message, or for each value of a key.

`chaosqs.record("charged", order=7)` in a handler records that something happened outside: a card was charged, a mail
was sent. SQS delivers at least once (OR-4), so code satisfies this invariant only if it checks for work already done.
No fault excuses a violation.
"""

import re
from functools import partial

from chaosqs.invariants.verdicts import Invariant, judged, message_text, not_applicable
from chaosqs.model.events import Effect, InvocationStarted
from chaosqs.model.history import History
from chaosqs.model.time import clock_text
from chaosqs.model.verdict import Verdict, Violation

_NAME = re.compile(r"exactly-once-(?P<name>.+?)(?:-by-(?P<by>\w+))?")
_Key = tuple[str | int | float | bool | None, str]


def exactly_once_effect(name: str, *, by: str = "") -> Invariant:
    """Return the invariant that an effect happens at most once.

    `name`: the effect's name in `chaosqs.record`. `by`: the name of the recorded value that identifies an effect
    (`order`); empty: once for each message, if the handler named the message or it was alone in its batch.
    """
    title = f"exactly once {name} by {by}" if by else f"exactly once {name}"
    invariant = title.replace(" ", "-")
    return Invariant(
        name=invariant,
        title=title,
        statement=f"The effect {name!r} happens at most once for each {by or 'message'}.",
        applies=f"To runs of real code; exercised when it records {name!r}.",
        unit="effects",
        default=True,
        judge=partial(_judge, invariant, name, by),
    )


def named(invariant: str) -> Invariant | None:
    """Return the invariant of that name, or None if it is not of this family."""
    found = _NAME.fullmatch(invariant)
    return None if found is None else exactly_once_effect(found["name"], by=found["by"] or "")


def _judge(invariant: str, name: str, by: str, history: History) -> Verdict:
    if all(behaviour.handler is None for behaviour in history.scenario.behaviours.values()):
        return not_applicable(invariant, "no function is real code")
    first: dict[_Key, int] = {}
    exercised, violations = 0, list[Violation]()
    for index, event in history.each(Effect):
        if event.name != name:
            continue
        message = _message(history, event)
        key = _key(event, by, message)
        if key is None:
            continue
        exercised += 1
        if key in first:
            violations.append(_violation(history, invariant, by, (first[key], index), message))
        else:
            first[key] = index
    return judged(invariant, violations, exercised, f"no code recorded {name!r} with {by or 'a message'}")


def _key(event: Effect, by: str, message: int | None) -> _Key | None:
    """Return the key for which the effect may happen once, or None; the value's type keeps 1, 1.0 and True apart."""
    if not by:
        return None if message is None else (message, "")
    for name, value in event.values:
        if name == by:
            return value, type(value).__name__
    return None


def _message(history: History, event: Effect) -> int | None:
    """Return the message that an effect is about: the one named, or the only one of its batch."""
    if event.message is not None or event.cause is None:
        return event.message
    start = history.events[event.cause]
    return start.messages[0] if isinstance(start, InvocationStarted) and len(start.messages) == 1 else None


def _violation(history: History, invariant: str, by: str, indexes: tuple[int, int], message: int | None) -> Violation:
    first, again = (history.events[index] for index in indexes)
    assert isinstance(again, Effect), f"{indexes[1]} is noted as an effect, but is {again}"
    who = message_text(message) if message is not None else again.function
    what = f" for {by} {dict(again.values)[by]!r}" if by else ""
    text = f"{who} had the effect {again.name!r}{what} at {clock_text(first.at)} and again at {clock_text(again.at)}."
    queue = "" if message is None else _queue(history, message)
    return Violation(invariant, text, again.at, queue, () if message is None else (message,), indexes)


def _queue(history: History, message: int) -> str:
    sent = history.sent.get(message)
    return "" if sent is None else sent.queue

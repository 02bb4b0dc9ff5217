"""No message goes round between functions and queues until Lambda's guard against recursive loops drops it.

After about 16 invocations of a function in one chain of messages, Lambda refuses the next (LX-16). The batch is not
deleted: it comes back, and is refused again, until it is dead-lettered or its retention is over (LX-17). A function
that allows recursive loops is invoked all the same (LX-20): what went round as often, and still does so when the run
ends, is a loop without end.
"""

from collections.abc import Iterable
from typing import Self

import attrs

from chaosqs.invariants.verdicts import Invariant, judged, message_text, not_applicable, times
from chaosqs.model.design import MOST_PASSES
from chaosqs.model.events import (
    DeadLettered,
    Deleted,
    Event,
    Expired,
    FilteredOut,
    InvocationStarted,
    Sent,
    ServiceFailed,
)
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict, Violation

NAME = "no-recursive-loop"
_DROPPED = "RecursiveInvocationException"


def is_dropped(history: History, index: int | None) -> bool:
    """Return True if an event is a refusal by the guard."""
    event = None if index is None else history.events[index]
    return isinstance(event, ServiceFailed) and event.reason == _DROPPED


def judge(history: History) -> Verdict:
    """Blame the first refusal of each message by the guard, and the first invocation that it let go on for ever."""
    design = history.scenario.design
    if not any(history.is_real(mapping.function) for mapping in design.mappings):
        return not_applicable(NAME, "only real code sends messages, and no function is real code")
    violations: dict[int, Violation] = {}
    for index, event in history.each(ServiceFailed):
        if not is_dropped(history, index):
            continue
        for message in event.messages:
            if message not in violations:
                violations[message] = _violation(history, index, event, message)
    for function in design.functions:
        if function.recursive_loop == "Allow":
            violations = _Loop.of(history, function.name).violations() | violations
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


# Loops that their function allows (LX-20) -----------------------------------------------------------------------------


@attrs.define
class _Loop:
    """The chains of messages through one function that allows recursive loops."""

    history: History
    function: str
    passes: dict[int, int] = attrs.field(factory=dict[int, int])
    """Passes of the chain behind each message that code sent."""
    before: dict[int, int] = attrs.field(factory=dict[int, int])
    """The message of the batch behind each of these with the most passes."""
    beyond: dict[int, int] = attrs.field(factory=dict[int, int])
    """Index of the first invocation with each message that the guard would have dropped."""
    alive: dict[int, str] = attrs.field(factory=dict[int, str])
    """Queue of each message that is not gone."""

    @classmethod
    def of(cls, history: History, function: str) -> Self:
        """Follow all chains through a run."""
        loop = cls(history, function)
        for index, event in enumerate(history.events):
            if isinstance(event, InvocationStarted) and event.function == function:
                for message in event.messages:
                    if loop.passes.get(message, 0) >= MOST_PASSES:
                        loop.beyond.setdefault(message, index)
            loop._follow(event)
        return loop

    def _follow(self, event: Event) -> None:
        """Note where messages are after an event, and through how many passes they came."""
        gone: Iterable[int] = ()
        match event:
            case Sent():
                self._sent(event)
            case DeadLettered():
                self.alive[event.message] = event.target
            case Deleted():
                gone = [message for message in event.messages if message not in event.stayed]
            case FilteredOut():
                gone = event.messages
            case Expired():
                gone = (event.message,)
            case _:
                pass
        for message in gone:
            self.alive.pop(message, None)

    def _sent(self, event: Sent) -> None:
        self.alive[event.message] = event.queue
        sender = None if event.cause is None else self.history.events[event.cause]
        if isinstance(sender, InvocationStarted) and sender.messages:
            last = max(sender.messages, key=lambda message: self.passes.get(message, 0))
            self.before[event.message] = last
            self.passes[event.message] = self.passes.get(last, 0) + (sender.function == self.function)

    def violations(self) -> dict[int, Violation]:
        """Return a violation for each loop that goes on when the run ends, by its first message beyond the guard."""
        mappings = self.history.scenario.design.mappings_of(self.function)
        queues = [mapping.queue for mapping in mappings]
        longest: dict[int, int] = {}
        for message, queue in self.alive.items():
            passes = self.passes.get(message, 0)
            if queue in queues and passes > MOST_PASSES:
                first = self._first(message)
                longest[first] = max(passes, longest.get(first, 0))
        return {first: self._violation(first, passes) for first, passes in sorted(longest.items())}

    def _first(self, message: int) -> int:
        """Return the message of a chain with which the function was invoked although the guard saw a loop."""
        while self.passes[message] > MOST_PASSES:
            message = self.before[message]
        return message

    def _violation(self, message: int, passes: int) -> Violation:
        index, function = self.beyond[message], self.function
        event = self.history.events[index]
        text = (
            f"{message_text(message)} is part of a loop without end: the messages before it went through {function} "
            f"{times(MOST_PASSES)}, and when the run ended they had gone through it {times(passes)}. {function} has "
            f"recursive_loop 'Allow', so Lambda's guard does not stop the loop."
        )
        cause = () if event.cause is None else (event.cause,)
        return Violation(NAME, text, event.at, self.history.sent[message].queue, (message,), (*cause, index))


NO_RECURSIVE_LOOP = Invariant(
    name=NAME,
    title="no recursive loop",
    statement="No message goes round through a function until Lambda's guard against recursive loops drops it, or "
    "without end where the function allows loops.",
    applies="To designs with functions that are real code; exercised when code sends a message.",
    unit="messages sent by code",
    default=True,
    judge=judge,
)

"""Equal effects that several invocations had for one message: SQS delivers at least once (OR-4), so each is repeated.

Effects are repeated if several invocations had them, and if there are more of them than the messages of these
invocations account for: each message as many times as one invocation had the effect for it. So code that has one
constant effect for each message is not accused. Nor is code that claimed its work by a conditional write before each of
them, as idempotency does: such a claim ends at a time limit, or nothing could be tried again after a crash. The claims
must be of the same: a key that differs each time protects from nothing.
"""

from collections import Counter
from collections.abc import Iterable

import attrs

from chaosqs.invariants.verdicts import judged, message_text
from chaosqs.model.events import InvocationStarted, Operated, ServiceCalled
from chaosqs.model.history import History
from chaosqs.model.time import clock_text
from chaosqs.model.verdict import Verdict, Violation


@attrs.frozen
class Done:
    """One effect of an invocation."""

    index: int
    """Index of its event."""
    what: str
    """Words for it: `send the same message to invoices`."""
    digest: str
    """Digest of its contents: equal effects have equal words and digests."""
    place: str = ""
    """File and line of the call."""


def judge_repetitions(name: str, history: History, effects: Iterable[Done], idle: str) -> Verdict:
    """Blame the first repetition of each effect; `idle` is the reason why there was no effect."""
    known: dict[tuple[str, str, str], _Repeated] = {}
    exercised, violations, excused = 0, list[Violation](), list[str]()
    claims = _claims(history)
    for effect in effects:
        start = _started(history, effect.index)
        if start is None:
            continue
        exercised += 1
        repeated = known.setdefault((start.function, effect.what, effect.digest), _Repeated())
        repeated.add(effect.index, start)
        if repeated.reported or not repeated.more_than_due(len(repeated.indexes)):
            continue
        repeated.reported = True
        violation = _violation(name, history, repeated, effect)
        excuse = _claimed(claims, repeated, start) or _redriven(history, repeated.indexes[0], effect.index)
        if excuse:
            excused.append(f"{violation.text.removesuffix('.')}, but {excuse}")
        else:
            violations.append(violation)
    return judged(name, violations, exercised, idle, excused)


@attrs.define
class _Repeated:
    """The equal effects of one function."""

    indexes: list[int] = attrs.field(factory=list[int])
    starts: list[InvocationStarted] = attrs.field(factory=list[InvocationStarted])
    """The start of the invocation of each effect."""
    reported: bool = False

    def add(self, index: int, start: InvocationStarted) -> None:
        """Count one effect."""
        self.indexes.append(index)
        self.starts.append(start)

    @property
    def counts(self) -> Counter[int]:
        """Number of effects by invocation."""
        return Counter(start.invocation for start in self.starts)

    def more_than_due(self, effects: int) -> bool:
        """Return True if there are more effects than the messages account for."""
        batches = {start.invocation: start.messages for start in self.starts}
        messages = {message for batch in batches.values() for message in batch}
        each = max(-(-count // len(batches[number])) for number, count in self.counts.items())
        return len(batches) > 1 and effects > each * len(messages)

    def of_one_message(self) -> tuple[int, int, int]:
        """Return the message of most of these effects, its first and its last one; of all, if it has one only."""
        batches = {start.invocation: start.messages for start in self.starts}
        seen = Counter(message for batch in batches.values() for message in batch)
        message = max(seen, key=lambda each: seen[each])
        own = [index for index, start in zip(self.indexes, self.starts, strict=True) if message in start.messages]
        found = own if len(own) > 1 else self.indexes
        return message, found[0], found[-1]


def _started(history: History, index: int) -> InvocationStarted | None:
    """Return the start of the invocation that an event is due to; None: no function's."""
    cause = history.events[index].cause
    start = None if cause is None else history.events[cause]
    return start if isinstance(start, InvocationStarted) else None


def _claims(history: History) -> dict[int, dict[str, int]]:
    """Return the index of the first claim of each thing, by invocation."""
    found: dict[int, dict[str, int]] = {}
    for index, call in history.each(ServiceCalled):
        for claim in call.claims:
            found.setdefault(call.invocation, {}).setdefault(claim, index)
    return found


def _claimed(claims: dict[int, dict[str, int]], repeated: _Repeated, start: InvocationStarted) -> str:
    """Return that the invocations which repeated an effect had claimed the same before, or nothing."""
    last, groups = repeated.indexes[-1], list[tuple[set[str], int]]()
    for invocation, count in repeated.counts.items():
        own = {claim for claim, index in claims.get(invocation, {}).items() if index < last}
        for group in [group for group in groups if own & group[0]]:
            groups.remove(group)
            own, count = own | group[0], max(count, group[1])  # noqa: PLW2901 - invocations with one claim count once
        groups.append((own, count))
    if repeated.more_than_due(sum(count for _, count in groups)):
        return ""
    return f"{start.function} had claimed its work by a conditional write each time"


def _redriven(history: History, first: int, again: int) -> str:
    """Return what an operator did meanwhile to have a message processed again, or nothing."""
    moves = (event for index, event in history.each(Operated) if first < index < again and event.kind == "redrive")
    found: Operated | None = next(moves, None)
    return "" if found is None else f"an operator moved messages out of {found.target}"


def _violation(name: str, history: History, repeated: _Repeated, effect: Done) -> Violation:
    message, *places = repeated.of_one_message()
    first, again = (history.events[index] for index in places)
    start = _started(history, effect.index)
    assert start is not None
    place = f" ({effect.place})" if effect.place else ""
    text = (
        f"{message_text(message)} made {start.function} {effect.what}{place} at {clock_text(first.at)} and "
        f"again at {clock_text(again.at)}."
    )
    queue = start.mapping.partition("→")[0]
    starts = [index for index in (first.cause, again.cause) if index is not None]
    indexes = tuple(sorted(dict.fromkeys([*starts, *places])))
    return Violation(name, text, again.at, queue, (message,), indexes)

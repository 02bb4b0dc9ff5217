"""No message makes real code send the same message again: what a queue gets twice is done twice.

SQS delivers at least once (OR-4), and a batch whose invocation dies or times out after a send comes back (EF-3). So
code that sends keeps this only if it sends to a FIFO queue with a deduplication id of its own (FF-5), or checks what it
has done. No fault excuses a violation.

Two sends are the same if queue and contents are equal. They are repeated if several invocations made them, and if there
are more of them than the messages of these invocations account for: each message as many times as one invocation made
the send for it. So code that sends one constant text for each message is not accused.
"""

from collections.abc import Iterator

import attrs

from chaosqs.invariants.verdicts import Invariant, judged, message_text, not_applicable
from chaosqs.model.events import InvocationStarted, Operated, Sent
from chaosqs.model.history import History
from chaosqs.model.time import clock_text
from chaosqs.model.verdict import Verdict, Violation

NAME = "no-repeated-send"


def judge(history: History) -> Verdict:
    """Blame the first repetition of each send."""
    if not any(history.is_real(mapping.function) for mapping in history.scenario.design.mappings):
        return not_applicable(NAME, "only real code sends messages, and no function is real code")
    known: dict[tuple[str, str, str], _Sends] = {}
    exercised, violations, excused = 0, list[Violation](), list[str]()
    for index, sent, start in _by_code(history):
        exercised += 1
        sends = known.setdefault((start.function, sent.queue, sent.contents), _Sends())
        sends.add(index, start)
        if not sends.repeated or sends.told:
            continue
        sends.told = True
        violation = _violation(history, sends, sent, start)
        redriven = _redriven(history, sends.indexes[0], index)
        if redriven:
            excused.append(f"{violation.text.removesuffix('.')}, but {redriven}")
        else:
            violations.append(violation)
    return judged(NAME, violations, exercised, "no function sent a message", excused)


@attrs.define
class _Sends:
    """The equal sends of one function."""

    indexes: list[int] = attrs.field(factory=list[int])
    counts: dict[int, int] = attrs.field(factory=dict[int, int])
    """Number of sends by invocation."""
    batches: dict[int, tuple[int, ...]] = attrs.field(factory=dict[int, tuple[int, ...]])
    told: bool = False

    def add(self, index: int, start: InvocationStarted) -> None:
        """Count one send."""
        self.indexes.append(index)
        self.counts[start.invocation] = self.counts.get(start.invocation, 0) + 1
        self.batches[start.invocation] = start.messages

    @property
    def repeated(self) -> bool:
        """True if there are more sends than the messages account for."""
        messages = {message: True for batch in self.batches.values() for message in batch}
        each = max(-(-count // len(self.batches[number])) for number, count in self.counts.items())
        return len(self.counts) > 1 and len(self.indexes) > each * len(messages)

    @property
    def message(self) -> int:
        """The message that all invocations had, or the first one."""
        first, *others = self.batches.values()
        return next((message for message in first if all(message in batch for batch in others)), first[0])


def _by_code(history: History) -> Iterator[tuple[int, Sent, InvocationStarted]]:
    """Yield the sends by code whose contents are known, with the invocations that made them."""
    for index, sent in history.each(Sent):
        start = None if sent.cause is None or not sent.contents else history.events[sent.cause]
        if isinstance(start, InvocationStarted):
            yield index, sent, start


def _redriven(history: History, first: int, again: int) -> str:
    """Return what an operator did meanwhile to have a message processed again, or nothing."""
    moves = (event for index, event in history.each(Operated) if first < index < again and event.kind == "redrive")
    found = next(moves, None)
    return "" if found is None else f"an operator moved messages out of {found.target}"


def _violation(history: History, sends: _Sends, sent: Sent, start: InvocationStarted) -> Violation:
    first, again = history.events[sends.indexes[0]], sends.indexes[-1]
    text = (
        f"{message_text(sends.message)} made {start.function} send the same message to {sent.queue} at "
        f"{clock_text(first.at)} and again at {clock_text(sent.at)}."
    )
    queue = start.mapping.partition("→")[0]
    starts = [index for index in (first.cause, sent.cause) if index is not None]
    indexes = tuple(sorted(dict.fromkeys([*starts, sends.indexes[0], again])))
    return Violation(NAME, text, sent.at, queue, (sends.message,), indexes)


NO_REPEATED_SEND = Invariant(
    name=NAME,
    title="no repeated send",
    statement="No message makes real code send the same message to a queue more than once.",
    applies="To designs with functions that are real code; exercised when code sends a message.",
    unit="messages sent by code",
    default=True,
    judge=judge,
)

"""No message makes real code send the same message again: what a queue gets twice is done twice.

A batch whose invocation dies or times out after a send comes back (EF-3). So code that sends keeps this only if it
sends to a FIFO queue with a deduplication id of its own (FF-5), or checks what it has done. No fault excuses it. Two
sends are the same if queue and contents are equal; `repetition` tells which of them are repeated.
"""

from chaosqs.invariants.repetition import Done, judge_repetitions
from chaosqs.invariants.verdicts import Invariant, not_applicable
from chaosqs.model.events import Sent
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict

NAME = "no-repeated-send"


def judge(history: History) -> Verdict:
    """Blame the first repetition of each send."""
    if not any(history.is_real(mapping.function) for mapping in history.scenario.design.mappings):
        return not_applicable(NAME, "only real code sends messages, and no function is real code")
    sends = (
        Done(index, f"send the same message to {sent.queue}", sent.contents, sent.place)
        for index, sent in history.each(Sent)
        if sent.contents
    )
    return judge_repetitions(NAME, history, sends, "no function sent a message")


NO_REPEATED_SEND = Invariant(
    name=NAME,
    title="no repeated send",
    statement="No message makes real code send the same message to a queue more than once.",
    applies="To designs with functions that are real code; exercised when code sends a message.",
    unit="messages sent by code",
    default=True,
    judge=judge,
)

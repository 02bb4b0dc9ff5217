"""A broken fake: a FIFO queue takes a deduplication id again a millisecond before the five minutes are over (FF-5)."""

from __future__ import annotations

from chaosqs.model.events import Sent
from chaosqs.model.history import History
from tests.invariants.builder import Story, fifo_design
from tests.known_bad.known_bad import KnownBad


def sent_again_at(seconds: float) -> History:
    story = Story(fifo_design())
    for number, moment in enumerate((0, seconds)):
        story.at(moment)
        story.tell(Sent(story.now, None, "orders.fifo", number, 100, "a", deduplication_id="order-7"))
    return story.end()


KNOWN_BAD = KnownBad(
    breaks="deduplication-holds",
    says="Message N is in orders.fifo although it repeats message 1, which was sent 300.0 s before. "
    "This is a bug of chaosqs.",
    bad_history=lambda: sent_again_at(299.999),
    near_miss=lambda: sent_again_at(300),
)

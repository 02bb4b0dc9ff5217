"""A broken design, to who has set a limit: a message gets older than that."""

from __future__ import annotations

from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def worked_off_after(seconds: float) -> History:
    story = Story(orders_design()).send()
    batch = story.at(seconds - 1).receive(0).start()
    story.at(seconds)
    batch.finish().delete()
    return story.end(drained=True)


KNOWN_BAD = KnownBad(
    breaks="oldest-message-within-20-s",
    says="Message N came to orders at 0.0 s and left it after 20.1 s: the limit is 20.0 s.",
    bad_history=lambda: worked_off_after(20.1),
    near_miss=lambda: worked_off_after(20),
)

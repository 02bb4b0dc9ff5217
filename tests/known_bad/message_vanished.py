"""A broken fake: a message is gone, and no event says why."""

from __future__ import annotations

from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def processed(*, deleted: bool) -> History:
    story = Story(orders_design()).send()
    batch = story.receive(0).start()
    story.at(1)
    batch.finish()
    if deleted:
        batch.delete()
    return story.end(drained=True)


KNOWN_BAD = KnownBad(
    breaks="no-loss-after-send",
    says="Message N is gone from orders although nothing deleted, moved, filtered or expired it. "
    "This is a bug of chaosqs, not of the design.",
    bad_history=lambda: processed(deleted=False),
    near_miss=lambda: processed(deleted=True),
)

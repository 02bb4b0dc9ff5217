"""A broken fake: a message is received after its retention is over (RT-1)."""

from __future__ import annotations

from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def received_after(seconds: float) -> History:
    story = Story(orders_design(retention_period=60)).send().at(seconds)
    batch = story.receive(0).start()
    batch.finish().delete()
    return story.end(drained=True)


KNOWN_BAD = KnownBad(
    breaks="conservation",
    says="Message N was received from orders 47.0 s after its retention. This is a bug of chaosqs, not of the design.",
    bad_history=lambda: received_after(107),
    near_miss=lambda: received_after(60),
)

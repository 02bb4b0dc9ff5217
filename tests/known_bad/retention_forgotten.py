"""A broken fake: the timer of a retention period is lost, so a message outlives it."""

from __future__ import annotations

from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def ends_at(seconds: float) -> History:
    return Story(orders_design(retention_period=60)).send().at(seconds).end()


KNOWN_BAD = KnownBad(
    breaks="conservation",
    says="Message N is still in orders although its retention is over. This is a bug of chaosqs, not of the design.",
    bad_history=lambda: ends_at(60.001),
    near_miss=lambda: ends_at(60),
)

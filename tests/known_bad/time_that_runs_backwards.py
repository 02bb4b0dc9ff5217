"""A broken fake: an event of the past is noted after later ones.

The first simulator did this: a message that moved to a dead-letter queue whose retention it had outlived (DLQ-9)
expired at the moment at which it should have expired, had it been there.
"""

from __future__ import annotations

from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def expired_at(seconds: int) -> History:
    story = Story(orders_design(retention_period=seconds)).send().client_receives(0, count=1).at(61)
    story.send()
    return story.at(seconds).expire(0).end()


KNOWN_BAD = KnownBad(
    breaks="conservation",
    says="Event 3 is of 60.0 s, but comes after one of 61.0 s. This is a bug of chaosqs, not of the design.",
    bad_history=lambda: expired_at(60),
    near_miss=lambda: expired_at(61),
)

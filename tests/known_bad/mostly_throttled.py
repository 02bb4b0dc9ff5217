"""A broken design, to who has set a limit: half of the attempts to invoke a function are throttled."""

from __future__ import annotations

from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def two_of_four(fault: str) -> History:
    """Return a run; with `fault`, a fault caused one of the throttles."""
    story = Story(orders_design()).send(4)
    for number in range(2):
        story.receive(number, poller=number + 1).start()
    story.receive(2, poller=3).throttle()
    story.receive(3, poller=4).throttle(fault=fault)
    return story.end()


KNOWN_BAD = KnownBad(
    breaks="throttle-rate-up-to-40-percent",
    says="worker was throttled in 2 of 4 attempts (50.0 %): the limit is 40 %.",
    bad_history=lambda: two_of_four(""),
    near_miss=lambda: two_of_four("throttled on worker from 0 s for 5 s"),
)

"""A broken fake: a mapping keeps more than its first pollers although nothing comes (ES-5)."""

from __future__ import annotations

from chaosqs.model.events import PollersChanged
from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def idle_for(seconds: float, *, pollers: int = 6) -> History:
    story = Story(orders_design())
    story.tell(PollersChanged(0, None, "orders→worker", 5, "first pollers"))
    batch = story.send().receive(0).start()
    story.at(1).tell(PollersChanged(1_000, None, "orders→worker", pollers, "messages wait"))
    batch.finish().delete()
    return story.at(1 + seconds).end(drained=True)


KNOWN_BAD = KnownBad(
    breaks="polling-as-documented",
    says="orders→worker still had 6 pollers at 41.0 s although nothing had come since 11.0 s: 5 are due then. "
    "This is a bug of chaosqs, not of the design.",
    bad_history=lambda: idle_for(40),
    near_miss=lambda: idle_for(20),
)

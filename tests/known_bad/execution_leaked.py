"""A broken fake: an execution is not given back when its function crashes, so the next one is throttled (LX-14)."""

from __future__ import annotations

from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def after_a_crash(*, given_back: bool) -> History:
    story = Story(orders_design(max_receive_count=None)).send(3)
    first = story.receive(0).start()
    story.receive(1, poller=2).start()
    if given_back:
        story.receive(2, poller=3).throttle()
        first.finish("crashed").release("failed")
    else:
        first.finish("crashed").release("failed")
        story.receive(2, poller=3).throttle()
    return story.end()


KNOWN_BAD = KnownBad(
    breaks="concurrency-within-its-limits",
    says="worker was throttled with message 3 as if 2 executions ran, but 1 did.",
    bad_history=lambda: after_a_crash(given_back=False),
    near_miss=lambda: after_a_crash(given_back=True),
)

"""A broken consumer: it deletes a message that its function never saw."""

from __future__ import annotations

from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def unseen(stayed: tuple[int, ...]) -> History:
    story = Story(orders_design()).send()
    story.receive(0).throttle(running=0, fault="throttled at receive 1 of message 1").delete(stayed=stayed)
    return story.end(drained=not stayed)


KNOWN_BAD = KnownBad(
    breaks="at-least-once-delivery",
    says="Message N was deleted from orders although worker never saw it.",
    bad_history=lambda: unseen(()),
    near_miss=lambda: unseen((0,)),
)

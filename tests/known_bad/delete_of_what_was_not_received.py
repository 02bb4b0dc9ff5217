"""A broken fake: a mapping deletes a message that it never received."""

from __future__ import annotations

from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def deleted(*messages: int) -> History:
    story = Story(orders_design()).send(2)
    story.receive(0).start().finish().delete(*messages)
    return story.end()


KNOWN_BAD = KnownBad(
    breaks="conservation",
    says="Message N was deleted by orders→worker, which had not received it. "
    "This is a bug of chaosqs, not of the design.",
    bad_history=lambda: deleted(0, 1),
    near_miss=lambda: deleted(0, 0),
)

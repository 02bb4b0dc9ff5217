"""A broken fake: a message is given out again while its visibility timeout still runs."""

from __future__ import annotations

from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def received_twice(seconds: float, *, returned: bool) -> History:
    story = Story(orders_design()).send()
    story.receive(0).start().finish("raised").release("failed")
    story.at(seconds)
    if returned:
        story.give_back(0)
    story.receive(0, poller=2).start().finish().delete()
    return story.end(drained=True)


KNOWN_BAD = KnownBad(
    breaks="conservation",
    says="Message N was received from orders while it was in flight. This is a bug of chaosqs, not of the design.",
    bad_history=lambda: received_twice(29.999, returned=False),
    near_miss=lambda: received_twice(30, returned=True),
    shown=True,
)

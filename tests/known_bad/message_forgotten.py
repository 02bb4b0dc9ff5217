"""A broken fake: the timer of a visibility timeout is lost, so a message stays hidden for good."""

from __future__ import annotations

from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def ends_at(seconds: float) -> History:
    story = Story(orders_design()).send()
    story.receive(0).start().finish("raised").release("failed")
    return story.at(seconds).end()


KNOWN_BAD = KnownBad(
    breaks="conservation",
    says="Message N never came back to orders although it was hidden only until 30.0 s. "
    "This is a bug of chaosqs, not of the design.",
    bad_history=lambda: ends_at(30.001),
    near_miss=lambda: ends_at(30),
)

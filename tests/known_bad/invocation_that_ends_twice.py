"""A broken fake: a function is ended by its timeout after it has answered."""

from __future__ import annotations

from chaosqs.model.events import Outcome
from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def ended(*outcomes: Outcome) -> History:
    story = Story(orders_design()).send()
    batch = story.receive(0).start()
    for seconds, outcome in enumerate(outcomes, 1):
        story.at(seconds)
        batch.finish(outcome)
    batch.delete()
    return story.end(drained=True)


KNOWN_BAD = KnownBad(
    breaks="conservation",
    says="Invocation 1 of worker ended a second time. This is a bug of chaosqs, not of the design.",
    bad_history=lambda: ended("succeeded", "timed_out"),
    near_miss=lambda: ended("succeeded"),
)

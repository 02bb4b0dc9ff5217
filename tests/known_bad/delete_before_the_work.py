"""A broken consumer: it deletes a message before it has done the work, as an at-most-once consumer would."""

from __future__ import annotations

from chaosqs.model.events import Outcome
from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def eager(outcome: Outcome) -> History:
    story = Story(orders_design()).send()
    batch = story.receive(0).start()
    story.at(1)
    batch.delete()
    story.at(2)
    batch.finish(outcome)
    return story.end(drained=True)


KNOWN_BAD = KnownBad(
    breaks="at-least-once-delivery",
    says="Message N was deleted from orders although worker never succeeded on it.",
    bad_history=lambda: eager("timed_out"),
    near_miss=lambda: eager("succeeded"),
    also_broken_by=("delete_of_what_was_not_received", "failure_list_unread"),
)

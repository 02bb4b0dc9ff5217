"""A broken fake: a mapping that reads which messages failed, and deletes them all the same."""

from __future__ import annotations

from chaosqs.model.design import EventSourceMapping
from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def reported_after_a_lost_delete(*deleted: int) -> History:
    """The first delete of both gets lost; at the second delivery one of them is reported as failed."""
    mapping = EventSourceMapping("orders", "worker", report_batch_item_failures=True)
    story = Story(orders_design(mapping=mapping)).send(2)
    story.receive(0, 1).start().finish().delete(stayed=(0, 1), fault="lost_delete at receive 1 of message 1")
    story.at(30).give_back(0, 1).receive(0, 1).start().finish(failed=(1,)).delete(*deleted)
    return story.end()


KNOWN_BAD = KnownBad(
    breaks="at-least-once-delivery",
    says="Message N was deleted from orders although worker reported it as failed.",
    bad_history=lambda: reported_after_a_lost_delete(0, 1),
    near_miss=lambda: reported_after_a_lost_delete(0),
)

"""A broken fake: one message of a batch is reported as failed, and the poller keeps both (section 10.3)."""

from __future__ import annotations

from chaosqs.model.design import EventSourceMapping
from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def one_of_two_reported(*, deleted: bool) -> History:
    mapping = EventSourceMapping("orders", "worker", batch_size=2, report_batch_item_failures=True)
    story = Story(orders_design(mapping=mapping)).send(2)
    batch = story.receive(0, 1).start().finish(failed=(1,))
    if deleted:
        batch.delete(0)
    else:
        batch.release("failed")
    return story.end()


KNOWN_BAD = KnownBad(
    breaks="reported-failures-kept",
    says="Message N was not deleted although worker reported only message 2 as failed.",
    bad_history=lambda: one_of_two_reported(deleted=False),
    near_miss=lambda: one_of_two_reported(deleted=True),
)

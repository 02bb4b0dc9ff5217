"""A broken consumer: the function reports a message as failed, and the mapping, which was not told to look, deletes it.

This is G-27 of the ledger: without report_batch_item_failures the function's answer is ignored (EF-2).
"""

from __future__ import annotations

from chaosqs.model.design import EventSourceMapping
from chaosqs.model.history import History
from tests.bestiary.villain import Villain
from tests.invariants.builder import Story, orders_design


def partial_failure(*deleted: int) -> History:
    mapping = EventSourceMapping("orders", "worker", report_batch_item_failures=len(deleted) == 1)
    story = Story(orders_design(mapping=mapping)).send(2)
    story.receive(0, 1).start().finish(failed=(1,)).delete(*deleted)
    return story.end()


VILLAIN = Villain(
    breaks="at-least-once-delivery",
    says="Message N was deleted from orders although worker reported it as failed: report_batch_item_failures is off.",
    strikes=lambda: partial_failure(0, 1),
    near_miss=lambda: partial_failure(0),
)

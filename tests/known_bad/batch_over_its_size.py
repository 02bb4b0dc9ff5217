"""A broken fake: a function gets more messages at once than the batch size allows (EC-1)."""

from __future__ import annotations

from chaosqs.model.design import EventSourceMapping
from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def three_messages(batch_size: int) -> History:
    story = Story(orders_design(mapping=EventSourceMapping("orders", "worker", batch_size))).send(3)
    story.receive(0, 1, 2).start().finish().delete()
    return story.end(drained=True)


KNOWN_BAD = KnownBad(
    breaks="batches-within-limits",
    says="orders→worker handed 3 messages to worker at once: its batch_size is 2.",
    bad_history=lambda: three_messages(2),
    near_miss=lambda: three_messages(3),
    shown=True,
)

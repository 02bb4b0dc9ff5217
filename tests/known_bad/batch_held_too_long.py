"""A broken fake: the timer of a batching window is lost, so a batch is held until something else comes (EP-4, EP-6)."""

from __future__ import annotations

from chaosqs.model.design import EventSourceMapping
from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def held(seconds: float) -> History:
    mapping = EventSourceMapping("orders", "worker", batch_size=10, maximum_batching_window=3)
    story = Story(orders_design(mapping=mapping)).send()
    batch = story.receive(0)
    story.at(seconds)
    batch.start().finish().delete()
    return story.end(drained=True)


KNOWN_BAD = KnownBad(
    breaks="batches-within-limits",
    says="orders→worker held message 1 for 29.0 s before it invoked worker: its maximum_batching_window is 3.0 s.",
    bad_history=lambda: held(29),
    near_miss=lambda: held(23),
)

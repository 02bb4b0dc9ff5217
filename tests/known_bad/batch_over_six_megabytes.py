"""A broken fake: a batch is handed over whose bodies alone are more than a payload may have (EP-4)."""

from __future__ import annotations

from chaosqs.model.design import EventSourceMapping
from chaosqs.model.events import Sent
from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def large_messages(count: int) -> History:
    story = Story(orders_design(mapping=EventSourceMapping("orders", "worker", batch_size=10)))
    for number in range(count):
        story.tell(Sent(0, None, "orders", number, 1_048_576, ""))
    story.receive(*range(count)).start().finish().delete()
    return story.end(drained=True)


KNOWN_BAD = KnownBad(
    breaks="batches-within-limits",
    says="orders→worker handed 7 messages with 7,340,032 bytes of bodies to worker at once: "
    "a payload has at most 6,291,456.",
    bad_history=lambda: large_messages(7),
    near_miss=lambda: large_messages(6),
)

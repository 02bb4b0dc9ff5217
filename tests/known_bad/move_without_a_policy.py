"""A broken fake: a message leaves a queue that has no redrive policy for a dead-letter queue."""

from __future__ import annotations

from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def moved(max_receive_count: int | None) -> History:
    story = Story(orders_design(max_receive_count=max_receive_count)).send()
    story.receive(0).start().finish("raised").release("failed")
    return story.at(30).give_back(0).dead_letter(0).end(drained=True)


KNOWN_BAD = KnownBad(
    breaks="conservation",
    says="Message N went from orders to orders-dlq without a redrive policy that says so. "
    "This is a bug of chaosqs, not of the design.",
    bad_history=lambda: moved(None),
    near_miss=lambda: moved(1),
)

"""A broken fake: a message is due after its delay, and no long poll learns of it (RX-5)."""

from __future__ import annotations

from chaosqs.model.design import Queue
from chaosqs.model.events import PollersChanged
from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def received_after(seconds: float) -> History:
    story = Story(orders_design(queue=Queue("orders", delay=15)))
    story.tell(PollersChanged(0, None, "orders→worker", 5, "first pollers"))
    batch = story.send().at(seconds).receive(0).start()
    story.at(seconds + 1)
    batch.finish().delete()
    return story.end(drained=True)


KNOWN_BAD = KnownBad(
    breaks="polling-as-documented",
    says="Message N waited in orders from 15.0 s to 67.0 s although a poller of orders→worker was free. "
    "This is a bug of chaosqs, not of the design.",
    bad_history=lambda: received_after(67),
    near_miss=lambda: received_after(15),
    shown=True,
)

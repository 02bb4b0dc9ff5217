"""A broken fake: a mapping hands out a batch while as many as its maximum concurrency are in flight (MC-1)."""

from __future__ import annotations

from chaosqs.model.design import EventSourceMapping, Function
from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design
from tests.known_bad.known_bad import KnownBad


def three_batches(*, gives_up: bool) -> History:
    """Return a run; with `gives_up`, a poller stops waiting for the first invocation, which then no longer counts."""
    function = Function("worker", timeout=5, reserved_concurrency=3)
    mapping = EventSourceMapping("orders", "worker", batch_size=1, maximum_concurrency=2)
    story = Story(orders_design(function=function, mapping=mapping)).send(3)
    first = story.receive(0).start()
    story.receive(1, poller=2).start()
    if gives_up:
        first.release("no answer")
    story.receive(2, poller=3).start()
    return story.end()


KNOWN_BAD = KnownBad(
    breaks="concurrency-within-its-limits",
    says="orders→worker had 3 invocations in flight at once when message 3 came: the limit is 2.",
    bad_history=lambda: three_batches(gives_up=False),
    near_miss=lambda: three_batches(gives_up=True),
)

"""A broken fake: a later message of a group is handed out while an earlier one waits (FF-14, FF-17)."""

from __future__ import annotations

from chaosqs.model.history import History
from tests.invariants.builder import Story, fifo_design
from tests.known_bad.known_bad import KnownBad


def second_before_first(groups: tuple[str, str]) -> History:
    story = Story(fifo_design(batch_size=1))
    for group in groups:
        story.send(queue="orders.fifo", group=group)
    for message in (1, 0):
        story.receive(message, mapping="orders.fifo→worker").start().finish().delete()
    return story.end(drained=True)


KNOWN_BAD = KnownBad(
    breaks="fifo-order",
    says="Message N was given to worker before message 1, which was sent earlier to the same group.",
    bad_history=lambda: second_before_first(("a", "a")),
    near_miss=lambda: second_before_first(("a", "b")),
)

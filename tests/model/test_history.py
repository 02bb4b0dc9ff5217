"""A history is a value with a fingerprint."""

from __future__ import annotations

import attrs

from chaosqs.model.history import History
from tests.invariants.builder import Story, orders_design


def history_of(seconds: float) -> History:
    """One message that is processed within a while."""
    story = Story(orders_design()).send()
    batch = story.receive(0).start()
    story.at(seconds)
    batch.finish().delete()
    return story.end()


def test_digest_is_a_fingerprint_of_all_events() -> None:
    """Equal histories have equal digests; any event, and the end, makes a difference."""
    history = history_of(5)
    assert history_of(5).digest == history.digest
    others = [
        attrs.evolve(history, events=history.events[:-1]),
        attrs.evolve(history, ended_at=history.ended_at + 1),
        attrs.evolve(history, drained_at=70_000),
    ]
    assert len({history.digest, *(other.digest for other in others)}) == 4

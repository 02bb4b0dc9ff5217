"""A history is a value with a fingerprint."""

from __future__ import annotations

import attrs

from chaosqs.model.events import Expired, Sent
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
        attrs.evolve(history, ended_at_ms=history.ended_at_ms + 1),
        attrs.evolve(history, drained_at_ms=70_000),
    ]
    assert len({history.digest, *(other.digest for other in others)}) == 4


def test_events_are_found_by_kind_by_message_and_by_fault() -> None:
    """With their places, in the order in which they happened."""
    story = Story(orders_design()).send(2)
    story.receive(1).start().finish().delete(stayed=(1,), fault="lost_delete at receive 1 of message 2")
    history = story.end()
    assert [index for index, _ in history.each(Sent)] == [0, 1]
    assert history.each(Expired) == []
    assert [sent.message for sent in history.sent.values()] == [0, 1]
    assert history.faulted == [5]


def test_delivery_knows_the_invocation_that_it_started() -> None:
    """A delivery that never got an execution has none."""
    story = Story(orders_design()).send(2)
    story.receive(0).start()
    story.receive(1, poller=2).throttle()
    deliveries = story.end().deliveries
    assert [delivery.started for delivery in (*deliveries[0], *deliveries[1])] == [3, None]

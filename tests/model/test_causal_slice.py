"""The causal slice contains what led to the violation, and nothing else."""

from __future__ import annotations

from chaosqs.model.causal_slice import causal_slice
from chaosqs.model.events import DeadLettered, InvocationStarted, Received, Sent
from chaosqs.model.verdict import Violation
from tests.report.examples import Book, throttled


def test_it_contains_what_happened_to_the_message() -> None:
    """Every event of the message concerned is there, up to the violation, which comes last."""
    found, history = throttled()
    story = causal_slice(history, found.violation)
    own = [index for index, event in enumerate(history.events) if getattr(event, "message", None) == 3]
    assert set(own) <= set(story.indexes)
    assert isinstance(story.event(story.end), DeadLettered)


def test_it_contains_who_occupied_the_executions() -> None:
    """At each throttle of the message the invocations that ran are known: 1 and 2 first, 3 and 5 then."""
    found, history = throttled()
    story = causal_slice(history, found.violation)
    assert [story.running(index) for index in story.occupiers] == [(0, 1), (2, 4), (5,)]
    started = {e.messages[0] for p in story.indexes if isinstance(e := story.event(p), InvocationStarted)}
    assert started == {0, 1, 2, 4, 5}


def test_it_is_closed_under_causes_and_in_order() -> None:
    """The cause of every event in it is in it, too."""
    found, history = throttled()
    story = causal_slice(history, found.violation)
    causes = {event.cause for event in map(story.event, story.indexes) if event.cause is not None}
    assert causes <= set(story.indexes)
    assert list(story.indexes) == sorted(story.indexes)


def test_it_leaves_out_what_has_nothing_to_do_with_it() -> None:
    """A message that was merely there is not part of the story of another."""
    book = Book()
    book.send(0, 1)
    book.receive(0, 1, at=10)
    book.receive(1, 2, at=10)
    book.start(1, 2, at=20)
    book.end(1, at=30)
    moved = book.move(0, at=40_000, count=1)
    story = causal_slice(book.history(), Violation("i", "t", 40_000, "orders", (0,), (moved,)))
    assert [type(story.event(index)) for index in story.indexes] == [Sent, Received, DeadLettered]


def test_a_violation_without_messages_starts_from_its_events() -> None:
    """An invariant may speak about a function; then the messages of the events to blame are followed."""
    book = Book()
    book.send(0)
    book.receive(0, 1, at=10)
    started = book.start(0, 1, at=20)
    story = causal_slice(book.history(), Violation("i", "t", 20, "", (), (started,)))
    assert story.focus == (0,)
    assert len(story.indexes) == 3


def test_a_violation_without_anything_to_blame_has_an_empty_slice() -> None:
    """Neither messages nor events: there is nothing to tell, and that is no error."""
    book = Book()
    book.send(0)
    assert causal_slice(book.history(), Violation("i", "t", 0, "", (), ())).indexes == ()

"""One context carries what all parts of a run share."""

from __future__ import annotations

import attrs

from chaosqs.faults.injector import NO_FAULTS
from chaosqs.kernel.context import RandomStreams, SimulationContext
from chaosqs.kernel.event_queue import EventQueue
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.events import Event, Expired


def context() -> SimulationContext:
    return SimulationContext(EventQueue(0), RandomStreams(0), NO_FAULTS, Assumptions())


def test_the_present_moment_is_that_of_the_event_queue() -> None:
    """Also for steps that are scheduled relative to it."""
    shared, seen = context(), list[int]()
    shared.event_queue.at(5, lambda: shared.event_queue.after(7, lambda: seen.append(shared.now)))
    shared.event_queue.take()()
    shared.event_queue.take()()
    assert seen == [12]


def test_recording_returns_the_index_of_the_event() -> None:
    """Later events name it as their cause."""
    shared = context()
    events = [Expired(number, None, "orders", number, 0) for number in range(3)]
    assert [shared.record(event) for event in events] == [0, 1, 2]
    assert shared.events == events


def test_a_context_with_another_recorder_writes_the_same_history() -> None:
    """What SQS's API filters or amends goes into the history of the run."""
    shared = context()

    def amended(event: Event) -> int:
        return shared.record(attrs.evolve(event, cause=0))

    other = attrs.evolve(shared, record=amended)
    shared.record(Expired(1, None, "orders", 1, 0))
    assert other.record(Expired(2, None, "orders", 2, 0)) == 1
    assert [event.cause for event in shared.events] == [None, 0]
    assert other.events is shared.events

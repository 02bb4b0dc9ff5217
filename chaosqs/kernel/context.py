"""The simulation context: everything that all parts of one run share, in one value.

It carries virtual time with the event queue, chance, the fault injector, the history being written and the assumptions.
What a higher layer brings is known here by a Protocol only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

import attrs

from chaosqs.kernel.event_queue import EventQueue
from chaosqs.kernel.rng import RandomStreams
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.event import Event
from chaosqs.model.faults import Window


@attrs.frozen
class InjectedFault:
    """A fault that strikes one call."""

    kind: str
    name: str
    """As histories and reports name it: `throttled at receive 2 of message 4`."""
    until: int | None = None
    """When the window ends that brings it, in milliseconds; None for the fault of one message."""


class Injector(Protocol):
    """Decides which calls of a run a fault strikes. Each call asks once.

    A batch is given as pairs of (message, receive count). `scopes` are the names that the call is about: queue,
    function, mapping. `now` is in milliseconds.
    """

    @property
    def calm(self) -> bool:
        """Tell whether no fault can ever strike."""
        ...

    def asks(self, injection_point: str) -> bool:
        """Tell whether a fault can ever strike at an injection point."""
        ...

    def injected(
        self, injection_point: str, scopes: tuple[str, ...], batch: Iterable[tuple[int, int]], now: int
    ) -> InjectedFault | None:
        """Return the fault that strikes a call about a batch."""
        ...

    def poll(self, scopes: tuple[str, ...], message: int, receive: int, now: int) -> InjectedFault | None:
        """Return the fault that strikes a receive which would find a message first, as its n-th receive."""
        ...

    def send(self, queue: str, message: int, now: int, *, again: bool = False) -> InjectedFault | None:
        """Return the fault that strikes the send of a message, or its repetition."""
        ...

    def point(
        self, stream: str, scopes: tuple[str, ...], batch: Iterable[tuple[int, int]], now: int
    ) -> InjectedFault | None:
        """Return the fault that strikes a named point of the user's code."""
        ...

    def window(self, injection_point: str, scopes: tuple[str, ...], now: int, kind: str = "") -> InjectedFault | None:
        """Return the fault of the first open window for one of the scopes."""
        ...

    def windows(self, injection_point: str) -> tuple[Window, ...]:
        """Return all windows of an injection point."""
        ...

    def of_window(self, window: Window) -> InjectedFault:
        """Return the fault of a window."""
        ...


def recorder(events: list[Event]) -> Callable[[Event], int]:
    """Return the function that appends an event to a history and returns the event's index."""
    append = events.append

    def record(event: Event) -> int:
        append(event)
        return len(events) - 1

    return record


@attrs.frozen(eq=False)
class SimulationContext:
    """What all parts of one run share."""

    event_queue: EventQueue
    random: RandomStreams
    injector: Injector
    assumptions: Assumptions
    events: list[Event] = attrs.field(factory=list[Event])
    """The history so far. Only `record` writes it."""
    record: Callable[[Event], int] = attrs.field(
        default=attrs.Factory(lambda context: recorder(context.events), takes_self=True)
    )
    """Appends an event to the history; returns its index."""

    @property
    def now(self) -> int:
        """The present moment, in milliseconds. The hottest paths read `event_queue.now`, which spares them a call."""
        return self.event_queue.now

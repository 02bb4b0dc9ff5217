"""The simulation context: everything that all parts of one run share, in one value.

It carries virtual time with the event queue, chance, the fault injector, the history being written and the assumptions.
Things that belong to a higher layer are known here by a Protocol only.
"""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from contextvars import ContextVar
from math import exp
from statistics import NormalDist
from threading import RLock
from typing import Generic, Protocol, TypeVar
from zlib import crc32

import attrs

from chaosqs.kernel.event_queue import EventQueue
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.events import Event
from chaosqs.model.faults import Window

# Random streams -------------------------------------------------------------------------------------------------------
#
# Random numbers are a pure function of seed, stream and keys, independent of the order of calls. Each use of chance has
# its own stream. The keys name the caller and count its calls, so one fault more or less does not reshuffle everything
# else. Seed 0 is calm: it always gives the middle.

_MASK = (1 << 64) - 1
_NORMAL = NormalDist()


@attrs.define
class RandomStreams:
    """The random streams of one run."""

    seed: int
    """Constant, unless the run is redrawn from some moment on (`simulation/run.py`)."""

    def fraction(self, stream: int, first: int = 0, second: int = 0) -> float:
        """Return an evenly distributed number from 0 up to, but not including, 1; 0.5 for seed 0."""
        if self.seed == 0:
            return 0.5
        x = (
            self.seed * 0x9E3779B97F4A7C15
            + stream * 0xBF58476D1CE4E5B9
            + first * 0x94D049BB133111EB
            + second * 0xD6E8FEB86659FD93
        ) & _MASK
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((x ^ (x >> 31)) >> 11) / (1 << 53)

    def around(self, median: float, spread: float, stream: int, first: int = 0, second: int = 0) -> float:
        """Return a log-normal number; `spread` is the standard deviation of its logarithm. Seed 0 gives the median."""
        if self.seed == 0 or spread == 0:
            return median
        probability = max(self.fraction(stream, first, second), 1e-12)
        return median * exp(spread * _NORMAL.inv_cdf(probability))


def stream(name: str) -> int:
    """Return the number of a random stream, the same in every process."""
    return crc32(name.encode())


# Faults and the context -----------------------------------------------------------------------------------------------


@attrs.frozen
class InjectedFault:
    """A fault that is injected into one call."""

    kind: str
    name: str
    """Name in histories and reports: `throttled at receive 2 of message 4`."""
    until: int | None = None
    """End of the window that the fault comes from, in milliseconds; None for the fault of one message."""
    step: int = 0
    """Number of the call or wait of real code at which it is injected, from 1; 0: at the end of the code."""
    exact: bool = False
    """True if the plan names the step."""


class Injector(Protocol):
    """Decides into which calls of a run a fault is injected. Each call asks once.

    A batch is given as pairs of (message, receive count). `scopes` are the names of what the call is about: queue,
    function, mapping. `now` is in milliseconds.
    """

    @property
    def calm(self) -> bool:
        """True if no fault can ever be injected."""
        ...

    def asks(self, injection_point: str) -> bool:
        """Return whether a fault can ever be injected at an injection point."""
        ...

    def injected(
        self, injection_point: str, scopes: tuple[str, ...], batch: Iterable[tuple[int, int]], now: int
    ) -> InjectedFault | None:
        """Return the fault to inject into a call about a batch."""
        ...

    def poll(self, scopes: tuple[str, ...], message: int, receive: int, now: int) -> InjectedFault | None:
        """Return the fault to inject into a receive; `message` is the first that it returns, `receive` its count."""
        ...

    def send(self, queue: str, message: int, now: int, *, again: bool = False) -> InjectedFault | None:
        """Return the fault to inject into the send of a message, or its repetition."""
        ...

    def point(
        self, point: str, scopes: tuple[str, ...], batch: Iterable[tuple[int, int]], now: int
    ) -> InjectedFault | None:
        """Return the fault to inject into a named point of the user's code."""
        ...

    def call(
        self, call: str, scopes: tuple[str, ...], batch: Iterable[tuple[int, int]], now: int
    ) -> InjectedFault | None:
        """Return the fault to inject into a call of the user's code to another service (`dynamodb:PutItem`)."""
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
    """Everything that all parts of one run share."""

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
        """The present moment, in milliseconds. The hottest paths read `event_queue.now`, which saves a call."""
        return self.event_queue.now


# Callers in threads and contexts --------------------------------------------------------------------------------------

Turn = AbstractContextManager[object]
"""A lock with which callers in threads take turns. The order of the threads is the one thing a run cannot repeat."""


def turns() -> Turn:
    """Return a re-entrant lock."""
    return RLock()


Value = TypeVar("Value")


class Opened(Generic[Value]):
    """The values of one kind that `with` blocks open, each for the code of its own context.

    Those of tests that run in threads of their own do not mix.
    """

    def __init__(self, name: str) -> None:
        """Begin with none; `name`: that of the context variable."""
        self._open: list[Value] = []
        self._entered: ContextVar[tuple[Value, ...]] = ContextVar(name, default=())

    def current(self) -> Value | None:
        """Return the innermost value that the caller's context opened, else the one opened last, or None.

        Threads begin with an empty context, so those that a test starts get the value opened last.
        """
        for value in reversed(self._entered.get()):
            if value in self._open:
                return value
        return next(reversed(self._open), None)

    def enter(self, value: Value) -> bool:
        """Make a value the current one; return True if it is the only open one."""
        self._open.append(value)
        self._entered.set((*self._entered.get(), value))
        return len(self._open) == 1

    def leave(self, value: Value) -> bool:
        """Close a value, current or not; return True if no other one is open."""
        self._open.remove(value)
        self._entered.set(tuple(other for other in self._entered.get() if other in self._open))
        return not self._open

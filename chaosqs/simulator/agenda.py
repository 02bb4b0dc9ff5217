"""Who runs next: entries ordered by moment, then by the scenario's tie-break, then by when they were made.

Nothing else decides the order of a run: neither trio nor Python's hashing.
"""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from math import inf
from typing import TypeAlias

import attrs

Step: TypeAlias = Callable[[], None]

_MASK = (1 << 64) - 1


@attrs.define
class Agenda:
    """The steps that are still to be run."""

    luck: int
    """0: entries of one moment run in the order in which they were made; else in an order that luck decides."""
    now: int = 0
    """The present moment, in milliseconds."""
    steps: int = 0
    """How many have been taken."""
    may_be_over: bool = True
    """Set where something ended, so that only then somebody looks whether all has."""
    _heap: list[tuple[int, int, int, Step]] = attrs.field(factory=list[tuple[int, int, int, Step]])
    _sequence: int = 0
    _salt: int = 0

    def __attrs_post_init__(self) -> None:
        """Choose the order of ties."""
        self._salt = self.luck * 0x9E3779B97F4A7C15 & _MASK

    def at(self, due: int, step: Step) -> None:
        """Run a step at a moment, which must not be over."""
        assert due >= self.now, f"a step is due at {due} ms, but it is {self.now} ms already"
        self._sequence = sequence = self._sequence + 1
        tie = 0
        if self._salt:
            tie = (sequence * 0xBF58476D1CE4E5B9 ^ self._salt) & _MASK
            tie = (tie ^ tie >> 29) * 0x94D049BB133111EB & _MASK
        heappush(self._heap, (due, tie, sequence, step))

    def next_due(self) -> float:
        """Return when the next step is due; infinity where there is none."""
        return self._heap[0][0] if self._heap else inf

    def take_by(self, limit: float) -> Step | None:
        """Take the next step if it is due by a moment; None otherwise."""
        heap = self._heap
        if not heap or heap[0][0] > limit:
            return None
        self.now, _, _, step = heappop(heap)
        self.steps += 1
        return step

    def take(self) -> Step:
        """Move on to the next step's moment and return the step."""
        self.now, _, _, step = heappop(self._heap)
        self.steps += 1
        return step

"""What a FIFO queue remembers of its sends: for five minutes, whatever became of the messages (FF-5)."""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

import attrs

from chaosqs.model.time import MINUTE

INTERVAL = 5 * MINUTE
"""Milliseconds that a deduplication id is remembered from the accepted send on (FF-5)."""

Key: TypeAlias = tuple[str, str]


@attrs.frozen
class Accepted:
    """The send that a later one with the same deduplication id is told of (Assumed: FF-6)."""

    message: int
    place: int
    """What its sequence number is made from."""


@attrs.define(eq=False)
class Memory:
    """The accepted sends of the last five minutes."""

    _known: dict[Key, Accepted] = attrs.field(factory=dict[Key, Accepted])
    _endings: deque[tuple[int, Key]] = attrs.field(factory=deque[tuple[int, Key]])

    def find(self, key: Key, *, now: int) -> Accepted | None:
        """Return the send that this one repeats, or None."""
        while self._endings and self._endings[0][0] <= now:
            del self._known[self._endings.popleft()[1]]
        return self._known.get(key)

    def note(self, key: Key, accepted: Accepted, *, now: int) -> None:
        """Remember an accepted send whose key was not known."""
        self._known[key] = accepted
        self._endings.append((now + INTERVAL, key))

    def clear(self) -> None:
        """Forget everything: a purge does (PQ-3)."""
        self._known.clear()
        self._endings.clear()

"""Locks for clients in threads: callers take turns, so nothing they do is lost.

The simulator knows no threads otherwise, and the order in which threads get their turn is the one thing in it that
a run cannot repeat.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from threading import RLock

Turn = AbstractContextManager[object]


def turns() -> Turn:
    """Return a lock that its holder may take again."""
    return RLock()

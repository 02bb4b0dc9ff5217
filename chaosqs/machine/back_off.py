"""How long somebody waits before the next attempt: twice as long each time, up to a limit, and a random share of it."""

from __future__ import annotations

_MOST_DOUBLINGS = 40


def pause(attempt: int, first: int, limit: int, share: float = 1) -> int:
    """Return the milliseconds to wait after an attempt, the first being 1; `share` is the jitter, from 0 to 1."""
    ceiling = min(limit, first << min(attempt - 1, _MOST_DOUBLINGS))
    return max(1, round(ceiling * share))

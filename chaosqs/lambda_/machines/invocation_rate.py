"""Rates that Lambda allows, as token buckets: each refills continuously, up to its width.

Assumed: the amount documented for a period may come all at once, after a period in which nothing came (LC-6, LC-8).
"""

from __future__ import annotations

import attrs

from chaosqs.lambda_.machines.asynchronous import pause
from chaosqs.model.alternative import RateLimitedFront
from chaosqs.model.time import MINUTE, milliseconds

REQUESTS = 10
"""Requests a second for each execution that a function may have (LC-8)."""
_SECOND = 1000
_NEW_ENVIRONMENTS = 1000  # of one function in `_ENVIRONMENTS_PERIOD` (LC-6)
_ENVIRONMENTS_PERIOD = 10 * _SECOND
_BURST = 3000  # LC-7; Assumed: the burst of the largest Regions
_BURST_GROWTH = 500  # a minute (LC-7)


@attrs.define(eq=False)
class Rate:
    """A token bucket: `refill` tokens come in each `period` of milliseconds, and at most `width` are saved up."""

    width: int
    refill: int
    period: int
    _level: int = attrs.field(init=False)
    """Tokens in the bucket, in units of 1/`period` token."""
    _filled_at: int = 0

    def __attrs_post_init__(self) -> None:
        """Start with a full bucket."""
        self._level = self.width * self.period

    def allows(self, *, now: int) -> bool:
        """Refill the bucket; return True if it has a token."""
        level = self._level + (now - self._filled_at) * self.refill
        self._level, self._filled_at = min(level, self.width * self.period), now
        return self._level >= self.period

    def take(self) -> None:
        """Remove a token that `allows` has found."""
        self._level -= self.period


def requests(concurrency: int) -> Rate:
    """Return the rate of requests for a number of executions (LC-8)."""
    return Rate(concurrency * REQUESTS, concurrency * REQUESTS, _SECOND)


def new_environments() -> Rate:
    """Return the rate at which one function gets new environments; unused ones are not saved up (LC-6)."""
    return Rate(_NEW_ENVIRONMENTS, _NEW_ENVIRONMENTS, _ENVIRONMENTS_PERIOD)


def burst() -> Rate:
    """Return the rate at which all functions of an account together got new environments until 2023-11 (LC-7)."""
    return Rate(_BURST, _BURST_GROWTH, MINUTE)


# A rate limiter in front of a function, as a token bucket, and the retries of its clients -----------------------------

_LIMITER_PERIOD = 1_000_000
"""Milliseconds in which a rate given in thousandths of a request a second is a whole number of requests."""


@attrs.define(eq=False)
class RateLimiter:
    """The rate limiter in front of one function."""

    settings: RateLimitedFront
    _bucket: Rate = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Start with a full bucket."""
        self._bucket = Rate(self.settings.burst, round(self.settings.requests_per_second * 1000), _LIMITER_PERIOD)

    def admits(self, *, now: int) -> bool:
        """Count a request and return True if it goes through; else the answer is 429."""
        if not self._bucket.allows(now=now):
            return False
        self._bucket.take()
        return True

    def pause(self, attempt: int, share: float) -> int | None:
        """Return the milliseconds until a client retries after `attempt` failures; None: it gives up."""
        if attempt > self.settings.retries:
            return None
        first, limit = milliseconds(self.settings.retry_pause), milliseconds(self.settings.retry_pause_limit)
        return pause(attempt, first, limit, share)

"""Rates that Lambda allows: each is a bucket of tokens that refills all the time and never holds more than it is wide.

Assumed: what is documented as "so many a second" may come at once, after a second in which nothing came (LC-6, LC-8).
"""

from __future__ import annotations

import attrs

from chaosqs.lambda_.machines.asynchronous import pause
from chaosqs.model.alternative import RateLimitedFront
from chaosqs.model.time import MINUTE, milliseconds

REQUESTS = 10
"""Requests a second for each execution that a function may have (LC-8)."""
_SECOND = 1000
_NEW_ENVIRONMENTS, _PERIOD = 1000, 10 * _SECOND  # LC-6
_BURST, _BURST_GROWTH = 3000, 500  # LC-7; Assumed: the burst of the largest Regions


@attrs.define(eq=False)
class Rate:
    """So many a `period`, in milliseconds, and at most `width` at once."""

    width: int
    refill: int
    period: int
    _level: int = attrs.field(init=False)
    """Tokens in the bucket, in parts of which a token has `period`."""
    _filled_at: int = 0

    def __attrs_post_init__(self) -> None:
        """Start with a full bucket."""
        self._level = self.width * self.period

    def allows(self, *, now: int) -> bool:
        """Tell whether there is a token."""
        level = self._level + (now - self._filled_at) * self.refill
        self._level, self._filled_at = min(level, self.width * self.period), now
        return self._level >= self.period

    def take(self) -> None:
        """Use a token up that `allows` has found."""
        self._level -= self.period


def requests(concurrency: int) -> Rate:
    """Return the rate of requests for so many executions (LC-8)."""
    return Rate(concurrency * REQUESTS, concurrency * REQUESTS, _SECOND)


def new_environments() -> Rate:
    """Return the rate at which one function gets new environments; what is not used is not saved up (LC-6)."""
    return Rate(_NEW_ENVIRONMENTS, _NEW_ENVIRONMENTS, _PERIOD)


def burst() -> Rate:
    """Return the rate at which all functions of an account together got new environments until 2023-11 (LC-7)."""
    return Rate(_BURST, _BURST_GROWTH, MINUTE)


# A front that limits the rate of requests by a token bucket, and the patience of the clients before it. --------------

_FRONT_PERIOD = 1_000_000
"""Milliseconds; the rate is a whole number of requests in them, as it is given in thousandths of a second."""


@attrs.define(eq=False)
class RateLimiter:
    """The front of one function."""

    settings: RateLimitedFront
    _bucket: Rate = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Start with a full bucket."""
        self._bucket = Rate(self.settings.burst, round(self.settings.requests_per_second * 1000), _FRONT_PERIOD)

    def admits(self, *, now: int) -> bool:
        """Tell whether a request goes through, and count it if so; else the answer is 429."""
        if not self._bucket.allows(now=now):
            return False
        self._bucket.take()
        return True

    def pause(self, attempt: int, share: float) -> int | None:
        """Return after how many milliseconds a client pushes again that has failed so often; None: it gives up."""
        if attempt > self.settings.retries:
            return None
        first, limit = milliseconds(self.settings.retry_pause), milliseconds(self.settings.retry_pause_limit)
        return pause(attempt, first, limit, share)

"""A front that limits the rate of requests by a token bucket, and the patience of the clients before it."""

from __future__ import annotations

import attrs

from chaosqs.machine.back_off import pause
from chaosqs.machine.invocation_rate import Rate
from chaosqs.model.alternative import RateLimitedFront
from chaosqs.model.time import milliseconds

_PERIOD = 1_000_000
"""Milliseconds; the rate is a whole number of requests in them, as it is given in thousandths of a second."""


@attrs.define(eq=False)
class Front:
    """The front of one function."""

    settings: RateLimitedFront
    _bucket: Rate = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        """Start with a full bucket."""
        self._bucket = Rate(self.settings.burst, round(self.settings.requests_per_second * 1000), _PERIOD)

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

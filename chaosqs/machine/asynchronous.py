"""Lambda's queue of asynchronous invocations: when an event is tried again, and when it is given up.

An event whose invocation failed is tried again after 1 and after 2 minutes. One that is throttled goes back to the
queue, and is tried again after 1 second, doubling up to 5 minutes, until it is 6 hours old (Lambda Developer Guide,
invocation-async-error-handling). Assumed: without jitter, and however many events wait.
"""

from __future__ import annotations

import attrs

from chaosqs.machine.back_off import pause
from chaosqs.machine.recursion import MOST_PASSES
from chaosqs.model.time import MINUTE

_AFTER_ERRORS = (MINUTE, 2 * MINUTE)
_FIRST, _LONGEST = 1_000, 5 * MINUTE
OLDEST = 6 * 60 * MINUTE
"""Age at which an event is given up that was throttled, in milliseconds."""


@attrs.define(eq=False)
class AsynchronousEvent:
    """One asynchronous invocation of a function that invokes itself."""

    chain: int
    since: int
    """When it was accepted, in milliseconds."""
    passes: int = 1
    """Which invocation of its chain it is (LX-16)."""
    errors: int = 0
    throttles: int = 0

    def after_error(self) -> int | None:
        """Return after how many milliseconds an event is tried again whose invocation failed; None: never."""
        self.errors += 1
        self.throttles = 0
        return _AFTER_ERRORS[self.errors - 1] if self.errors <= len(_AFTER_ERRORS) else None

    def after_throttle(self, *, now: int) -> int | None:
        """Return after how many milliseconds an event is tried again that was throttled; None: never."""
        self.throttles += 1
        wait = pause(self.throttles, _FIRST, _LONGEST)
        return wait if now + wait - self.since < OLDEST else None

    def following(self, *, now: int, guarded: bool) -> AsynchronousEvent | None:
        """Return the next of the chain; None where the guard against recursive loops drops it (LX-16)."""
        if guarded and self.passes >= MOST_PASSES:
            return None
        return AsynchronousEvent(self.chain, now, self.passes + 1)

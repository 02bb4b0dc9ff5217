"""Lambda's queue of asynchronous invocations: when an event is retried, and when it is given up.

An event whose invocation failed is retried after 1 minute, then after 2 minutes. A throttled event goes back to the
queue. It is retried after 1 second, doubling up to 5 minutes, until it is 6 hours old (Lambda Developer Guide,
invocation-async-error-handling). Assumed: no jitter, and the number of waiting events has no effect.
"""

from __future__ import annotations

import attrs

from chaosqs.model.alternative import SelfPolling
from chaosqs.model.design import MOST_PASSES
from chaosqs.model.time import MINUTE

# Exponential backoff: the pause doubles with each attempt up to a limit, times a random share -------------------------

_MOST_DOUBLINGS = 40  # bounds the size of the number


def pause(attempt: int, first: int, limit: int, share: float = 1) -> int:
    """Return the milliseconds to wait after an attempt, counted from 1; `share` is the jitter, from 0 to 1."""
    ceiling = min(limit, first << min(attempt - 1, _MOST_DOUBLINGS))
    return max(1, round(ceiling * share))


# Chains of invocations of a function that invokes itself: which are alive, and which the schedule starts --------------


@attrs.define(eq=False)
class InvocationChains:
    """The chains of one function, numbered from 1."""

    polling: SelfPolling
    alive: dict[int, None] = attrs.field(factory=dict[int, None])
    """Chains with a running invocation or a waiting event, in the order of their starts."""
    _latest: int = 0

    def start(self) -> list[int]:
        """Start the chains that the schedule starts, and return their numbers: with a lock only the missing ones."""
        if self.polling.lock:
            numbers = [number for number in range(1, self.polling.chains + 1) if number not in self.alive]
        else:
            numbers = [self._latest + index for index in range(1, self.polling.chains + 1)]
            self._latest += self.polling.chains
        self.alive.update(dict.fromkeys(numbers))
        return numbers

    def end(self, number: int) -> None:
        """Remove a chain that no invocation continues."""
        self.alive.pop(number, None)


# Events and their retries ---------------------------------------------------------------------------------------------

_ERROR_RETRIES = (MINUTE, 2 * MINUTE)  # pauses before the retries after errors
_FIRST_PAUSE = 1_000  # after a throttle, in milliseconds
_LONGEST_PAUSE = 5 * MINUTE
OLDEST = 6 * 60 * MINUTE
"""Age at which a throttled event is given up, in milliseconds."""


@attrs.define(eq=False)
class AsynchronousEvent:
    """One asynchronous invocation of a function that invokes itself."""

    chain: int
    since: int
    """Moment at which Lambda accepted it, in milliseconds."""
    passes: int = 1
    """Position of the invocation in its chain, from 1 (LX-16)."""
    errors: int = 0
    throttles: int = 0

    def after_error(self) -> int | None:
        """Count a failed invocation; return the milliseconds until the retry, or None if the event is given up."""
        self.errors += 1
        self.throttles = 0
        return _ERROR_RETRIES[self.errors - 1] if self.errors <= len(_ERROR_RETRIES) else None

    def after_throttle(self, *, now: int) -> int | None:
        """Count a throttle; return the milliseconds until the retry, or None if the event is given up."""
        self.throttles += 1
        wait = pause(self.throttles, _FIRST_PAUSE, _LONGEST_PAUSE)
        return wait if now + wait - self.since < OLDEST else None

    def following(self, *, now: int, guarded: bool) -> AsynchronousEvent | None:
        """Return the next event of the chain; None if the recursion guard drops it (LX-16)."""
        if guarded and self.passes >= MOST_PASSES:
            return None
        return AsynchronousEvent(self.chain, now, self.passes + 1)

"""Lambda's queue of asynchronous invocations: when an event is tried again, and when it is given up.

An event whose invocation failed is tried again after 1 and after 2 minutes. One that is throttled goes back to the
queue, and is tried again after 1 second, doubling up to 5 minutes, until it is 6 hours old (Lambda Developer Guide,
invocation-async-error-handling). Assumed: without jitter, and however many events wait.
"""

from __future__ import annotations

import attrs

from chaosqs.lambda_.machines.recursion_guard import MOST_PASSES
from chaosqs.model.alternative import SelfPolling
from chaosqs.model.time import MINUTE

# How long somebody waits before the next attempt: twice as long each time, up to a limit, and a random share of it. ---

_MOST_DOUBLINGS = 40


def pause(attempt: int, first: int, limit: int, share: float = 1) -> int:
    """Return the milliseconds to wait after an attempt, the first being 1; `share` is the jitter, from 0 to 1."""
    ceiling = min(limit, first << min(attempt - 1, _MOST_DOUBLINGS))
    return max(1, round(ceiling * share))


# The chains of a function that invokes itself: which are alive, and which the schedule starts. -----------------------


@attrs.define(eq=False)
class InvocationChains:
    """The chains of one function; each has a number, from 1."""

    polling: SelfPolling
    alive: dict[int, None] = attrs.field(factory=dict[int, None])
    """Those of which an invocation runs, or an event waits, in the order of their starts."""
    _latest: int = 0

    def start(self) -> list[int]:
        """Return the numbers of the chains that the schedule starts: those that are missing, or as many again."""
        if self.polling.lock:
            numbers = [number for number in range(1, self.polling.chains + 1) if number not in self.alive]
        else:
            numbers = [self._latest + index for index in range(1, self.polling.chains + 1)]
            self._latest += self.polling.chains
        self.alive.update(dict.fromkeys(numbers))
        return numbers

    def end(self, number: int) -> None:
        """Forget a chain that nothing continues."""
        self.alive.pop(number, None)


# ---------------------------------------------------------------------------------------------------------------------

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

"""The number of pollers of a mapping: its start, its growth while messages wait, its ceiling and its reduction.

Each mapping scales by itself (ES-13), on FIFO queues as well (ES-6). It ignores the concurrency that its function can
have: the reservation and the account's limit (ES-4, ES-11). The ceiling alone exceeds an account's concurrency (MC-0).
"""

from collections.abc import Mapping

import attrs

from chaosqs.model.design import EventSourceMapping
from chaosqs.model.time import MINUTE


@attrs.frozen
class ScalingLimits:
    """The limits of one era. A poller carries one batch at a time, so pollers bound concurrent invocations."""

    start: int
    per_minute: int
    ceiling: int
    minimum: int
    """Number of pollers that a mapping keeps on an idle queue."""


SCALING_LIMITS: Mapping[str, ScalingLimits] = {
    "2018-06": ScalingLimits(start=5, per_minute=60, ceiling=1000, minimum=5),  # ES-1, ES-2, ES-3
    "2023-11": ScalingLimits(start=5, per_minute=300, ceiling=1250, minimum=5),
    "2025-11": ScalingLimits(start=5, per_minute=300, ceiling=1250, minimum=2),  # ES-5
}
_INVOCATIONS_PER_PROVISIONED_POLLER = 10  # PM-1
_PROVISIONED_PER_MINUTE = 1000  # PM-3
_WHOLE = 1000  # thousandths of a poller


def scaling_limits(mapping: EventSourceMapping, era: str) -> ScalingLimits:
    """Return the limits of a mapping; its maximum concurrency limits how many pollers receive (MC-1, MC-2)."""
    if mapping.provisioned_pollers is not None:
        low, high = (n * _INVOCATIONS_PER_PROVISIONED_POLLER for n in mapping.provisioned_pollers)
        return ScalingLimits(low, _PROVISIONED_PER_MINUTE, high, minimum=low)
    standard, maximum = SCALING_LIMITS[era], mapping.maximum_concurrency
    if maximum is None:
        return standard
    start = min(standard.start, maximum)
    return ScalingLimits(start, standard.per_minute, min(standard.ceiling, maximum), minimum=start)  # ES-5: not reduced


@attrs.define
class Scaling:
    """The number of pollers of one mapping."""

    scaling_limits: ScalingLimits
    held_batches: int
    """Assumed: number of pollers up to which a mapping grows while it is throttled (ES-8, ES-10)."""
    receive_after_giving_up: bool
    """Assumed: True if a poller that gave up a throttled batch receives again (ES-8, ES-10)."""
    throttled_growth: int
    """Assumed: milliseconds between two steps of growth while it is throttled (ES-8, ES-10)."""
    long_poll: int
    """Assumed: milliseconds that a receive of the pollers waits (EP-2)."""
    idle_reduction: int
    """Assumed: milliseconds without a message after which a mapping goes below its first pollers (ES-5)."""
    let_go_on_error: int
    """Assumed: number of failed invocations in 100 that cost the mapping a poller (ES-7, ES-10)."""
    let_go_in_proportion: int
    """Assumed: thousandths of its pollers that a failed invocation costs the mapping in addition (ES-7, ES-10)."""
    pollers: int = attrs.field(init=False)
    _owed: int = 0
    """Thousandths of a poller that failed invocations have cost and that were not dropped yet."""

    def __attrs_post_init__(self) -> None:
        """Start with the first pollers (ES-1)."""
        self.pollers = self.scaling_limits.start

    def interval(self, *, throttled: bool) -> int:
        """Return the milliseconds to the next growth. Assumed: even over the minute, slower while throttled."""
        return self.throttled_growth if throttled else MINUTE // self.scaling_limits.per_minute

    def grow(self, *, throttled: bool) -> bool:
        """Add a poller while messages wait, up to the ceiling; return whether one was added (ES-2, ES-8)."""
        if self.pollers >= self.scaling_limits.ceiling or (throttled and self.pollers >= self.held_batches):
            return False
        self.pollers += 1
        return True

    def shrink(self, idle: int) -> bool:
        """Drop a poller that was idle long enough, in milliseconds; return whether it was dropped (ES-5)."""
        limit = self.idle_limit()
        if limit is None or idle < limit:
            return False
        self.pollers -= 1
        return True

    def idle_limit(self) -> int | None:
        """Return the milliseconds without a message after which a poller goes; None: never.

        Assumed: one long poll while there are more than the first pollers, `idle_reduction` below that.
        """
        if self.pollers > self.scaling_limits.start:
            return self.long_poll
        return self.idle_reduction if self.pollers > self.scaling_limits.minimum else None

    def release_while_throttled(self, *, gave_up: bool) -> bool:
        """Drop one poller whose batch is done while others of the mapping are throttled; return whether it was (ES-8).

        Assumed: growth, not the poller itself, fetches the next batch, so the throttled batches get their turn. With
        `receive_after_giving_up`, one that gave up its batch receives again, unless there are more than `held_batches`:
        of a FIFO queue's groups, a stuck one does not take the pollers of the others (C10).
        """
        if gave_up and self.receive_after_giving_up and self.pollers <= self.held_batches:
            return False
        self.pollers -= 1
        return True

    def release_after_error(self) -> bool:
        """Count a failed invocation; drop one poller when they have cost one (ES-7); return whether it was dropped.

        Assumed: each costs a fixed part of a poller and a part in proportion to the pollers, at most one in all.
        """
        cost = 10 * self.let_go_on_error + self.let_go_in_proportion * self.pollers
        self._owed += min(cost, _WHOLE)
        if self._owed < _WHOLE or self.pollers <= 1:
            return False
        self._owed -= _WHOLE
        self.pollers -= 1
        return True

"""The record of one run: append-only while it runs, a value afterwards. Everything else is read off it."""

from __future__ import annotations

import hashlib
from functools import cached_property

import attrs

from chaosqs.model import metrics
from chaosqs.model.delivery import Delivery, Fate, dead_lettered, deliveries
from chaosqs.model.event import Event
from chaosqs.model.scenario import Scenario


@attrs.frozen(slots=False)
class History:
    """All that happened in a run, in order. The place of an event in `events` is its identity."""

    scenario: Scenario
    events: tuple[Event, ...] = attrs.field(repr=False)
    ended_at: int
    """When the run ended, in milliseconds."""
    drained_at: int | None
    """When the last message that a mapping should have handled was gone, in milliseconds; None: some are left."""

    @cached_property
    def deliveries(self) -> dict[int, list[Delivery]]:
        """The deliveries of each received message, in order."""
        return deliveries(self.events)

    @cached_property
    def dead_lettered(self) -> list[Fate]:
        """What became of each message that was dead-lettered, in the order of the moves."""
        return dead_lettered(self.events, self.deliveries)

    @cached_property
    def digest(self) -> str:
        """A fingerprint of all events: equal for equal scenarios, in any process, on any machine."""
        seen = hashlib.blake2b(digest_size=16)
        for event in self.events:
            seen.update(repr(event).encode())
        seen.update(f"{self.ended_at} {self.drained_at}".encode())
        return seen.hexdigest()

    def summary(self) -> metrics.Summary:
        """Return the run in CloudWatch's metrics, as a value that JSON can hold."""
        return metrics.summary(self.scenario, self.events, self.dead_lettered, self.ended_at, self.drained_at)

    def series(self, metric: str, name: str, period: float = 60) -> list[tuple[float, float]]:
        """Return one metric of one queue or function over time: (start of period in seconds, value).

        Counts (`Throttles`, `Invocations`, `Errors`, `NumberOfMessages…`) are sums over the period, gauges
        (`ConcurrentExecutions`, `ApproximateNumberOfMessages…`, `ApproximateAgeOfOldestMessage`) its maximum, and
        `Duration` is the mean of the invocations that ended in it, in milliseconds, or 0 where none did.
        Raises ValueError for a metric or a name that the run does not have.
        """
        return metrics.series(self.scenario, self.events, self.ended_at, metric, name, period=period)

"""The history of one run: a value, from which all results are derived."""

import hashlib
from bisect import bisect_right
from functools import cached_property
from typing import TypeVar

import attrs

from chaosqs.model import metrics
from chaosqs.model.delivery import Delivery, Fate, dead_lettered, deliveries
from chaosqs.model.design import Design
from chaosqs.model.design_changes import designs_in_force
from chaosqs.model.events import Effect, Event, Sent
from chaosqs.model.scenario import Scenario

_E = TypeVar("_E", bound=Event)


@attrs.frozen(slots=False)
class History:
    """All events of a run, in order. An event is identified by its index in `events`."""

    scenario: Scenario
    events: tuple[Event, ...] = attrs.field(repr=False)
    ended_at_ms: int
    """Time at which the run ended, in milliseconds."""
    drained_at_ms: int | None
    """Time at which the last message that a mapping should handle was gone, in milliseconds; None: some are left."""

    @cached_property
    def deliveries(self) -> dict[int, list[Delivery]]:
        """The deliveries of each received message, in order."""
        return deliveries(self.events)

    @cached_property
    def dead_lettered(self) -> list[Fate]:
        """The fate of each message that was dead-lettered, in the order of the moves."""
        return dead_lettered(self.events, self.deliveries)

    @cached_property
    def effects(self) -> tuple[Effect, ...]:
        """All effects that handlers recorded with `chaosqs.record`, in order."""
        return tuple(event for _, event in self.each(Effect))

    @cached_property
    def sent(self) -> dict[int, Sent]:
        """The send of each message, in the order of sending."""
        return {event.message: event for _, event in self.each(Sent)}

    def each(self, kind: type[_E]) -> list[tuple[int, _E]]:
        """Return the events of one kind with their indexes, in order."""
        return [(index, event) for index, event in self._by_kind.get(kind, ()) if isinstance(event, kind)]

    @cached_property
    def faulted(self) -> list[int]:
        """The indexes of the events that a fault had a part in, in order."""
        return [index for index, event in enumerate(self.events) if getattr(event, "fault", "")]

    @cached_property
    def _by_kind(self) -> dict[type, list[tuple[int, Event]]]:
        found: dict[type, list[tuple[int, Event]]] = {}
        for entry in enumerate(self.events):
            found.setdefault(type(entry[1]), []).append(entry)
        return found

    @cached_property
    def designs(self) -> list[tuple[int, Design]]:
        """The designs that were in force, each with the index of the event that put it in force; the first with 0."""
        if not self.scenario.faults.actions:
            return [(0, self.scenario.design)]
        return designs_in_force(self.scenario.design, self.events)

    def design_at(self, index: int) -> Design:
        """Return the design that was in force at an event: the scenario's, with the changes of operators up to then.

        A change of a queue or a function applies from its `Operated` event on, to everything that begins later. A
        change of a mapping applies from the `PollersChanged` that it causes, to batches received later.
        """
        designs = self.designs
        return designs[0 if len(designs) == 1 else bisect_right(designs, index, key=_index) - 1][1]

    @cached_property
    def digest(self) -> str:
        """A fingerprint of all events: equal for equal scenarios, in any process, on any machine."""
        seen = hashlib.blake2b(digest_size=16)
        for event in self.events:
            seen.update(repr(event).encode())
        seen.update(f"{self.ended_at_ms} {self.drained_at_ms}".encode())
        return seen.hexdigest()

    def summary(self) -> metrics.Summary:
        """Return the run in CloudWatch's metrics, as a value that JSON can hold."""
        return metrics.summary(self.scenario, self.events, self.dead_lettered, self.ended_at_ms, self.drained_at_ms)

    def series(self, metric: metrics.Metric, name: str, period: float = 60) -> list[tuple[float, float]]:
        """Return one metric of one queue or function over time: (start of period in seconds, value).

        Counts (`Throttles`, `Invocations`, `Errors`, `NumberOfMessages…`) are sums over the period, gauges
        (`ConcurrentExecutions`, `ApproximateNumberOfMessages…`, `ApproximateAgeOfOldestMessage`) its maximum, and
        `Duration` is the mean of the invocations that ended in it, in milliseconds, or 0 where none did.
        Raises ValueError for a metric or a name that the run does not have.
        """
        return metrics.series(self.scenario, self.events, self.ended_at_ms, metric, name, period=period)


def _index(entry: tuple[int, Design]) -> int:
    return entry[0]

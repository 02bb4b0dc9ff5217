"""The history of one run: a value, from which all results are derived."""

import hashlib
from bisect import bisect_right
from collections.abc import Mapping
from functools import cached_property
from typing import TypeVar

import attrs

from chaosqs.model import metrics
from chaosqs.model.delivery import Delivery, Ending, Fate, dead_lettered, deliveries
from chaosqs.model.design import Design
from chaosqs.model.design_changes import designs_in_force
from chaosqs.model.events import Effect, Event, InvocationEnded, Sent, Throttled
from chaosqs.model.scenario import Scenario

_E = TypeVar("_E", bound=Event)
_LISTED = ("10.3", "PB-12", "EF-2")  # rules of answers that list failures; EF-2: the list is not read


@attrs.frozen
class Alone:
    """The outcome of a run in which a function got one message alone, without faults and without any load."""

    failed: bool
    """True if the invocation failed, or reported the message as failed."""
    deleted_early: bool = False
    """True if the function deleted the message by itself while it had more to do."""
    work: tuple[str, ...] = ()
    """Work of the function before its last write, which marks the message as done; empty without such a mark."""
    effects: tuple[str, ...] = ()
    """Work of the function that is no write of DynamoDB or S3: messages, publications."""
    all_work: tuple[str, ...] = ()
    """All work of the function."""


@attrs.frozen(slots=False)
class History:
    """All events of a run, in order. An event is identified by its index in `events`."""

    scenario: Scenario
    events: tuple[Event, ...] = attrs.field(repr=False)
    ended_at_ms: int
    """Time at which the run ended, in milliseconds."""
    drained_at_ms: int | None
    """Time at which the last message that a mapping should handle was gone, in milliseconds; None: some are left."""
    deployed: bool = attrs.field(default=False, repr=False)
    """True if clients deployed the functions, as in `aws()`: all are real code, whatever the scenario says."""
    alone: Mapping[tuple[str, int], Alone] = attrs.field(factory=dict[tuple[str, int], Alone], eq=False, repr=False)
    """Outcomes of messages that were run alone, by mapping (`orders→worker`) and message. They are not part of the run:
    a search adds them where a verdict needs them."""

    def is_real(self, function: str) -> bool:
        """Return True if a function is real code."""
        return self.deployed or self.scenario.behaviour(function).handler is not None

    def fails_alone(self, mapping: str, message: int) -> bool | None:
        """Return whether real code fails on a message, whatever else is in its batch; None: nothing shows it.

        The run shows it if the code ever succeeded on the message, failed when the message was alone in its batch, or
        reported it as failed (but on FIFO queues, code reports healthy messages, too: PB-15).
        """
        own = [one for one in self.deliveries.get(message, ()) if one.mapping == mapping and not one.fault]
        if any(one.ending is Ending.PROCESSED for one in own):
            return False
        if any(self._shows_failure(one) for one in own):
            return True
        tried = self.alone.get((mapping, message))
        return None if tried is None else tried.failed

    def _shows_failure(self, delivery: Delivery) -> bool:
        end = None if delivery.ended is None else self.events[delivery.ended]
        if not isinstance(end, InvocationEnded):
            return False
        if delivery.ending is Ending.REPORTED:
            return end.rule in _LISTED and not self.scenario.design.queue(delivery.queue).fifo
        return delivery.ending is Ending.FAILED and len(end.messages) == 1

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
    def besides_throttles(self) -> list[tuple[int, Event]]:
        """All events except throttles, with their indexes: these move no message, and can be nearly all of a run."""
        return [entry for entry in enumerate(self.events) if type(entry[1]) is not Throttled]

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

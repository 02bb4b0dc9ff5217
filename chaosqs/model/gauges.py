"""The state of queues and functions over time, as CloudWatch's gauges show it, followed event by event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import attrs

from chaosqs.model.event import (
    DeadLettered,
    Deleted,
    Event,
    Expired,
    FilteredOut,
    InvocationEnded,
    InvocationStarted,
    Received,
    Returned,
    Sent,
)
from chaosqs.model.scenario import Scenario

GAUGES = (
    "ConcurrentExecutions",
    "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateAgeOfOldestMessage",
)


@attrs.frozen
class Sample:
    """One change of one metric of one queue, function or mapping: an amount to count, or the new value of a gauge."""

    at: int
    name: str
    metric: str
    value: float


@attrs.define
class Gauges:
    """Follows the state of queues and functions event by event."""

    scenario: Scenario
    since: dict[str, dict[int, int]] = attrs.field(factory=dict[str, dict[int, int]])
    """For each queue, the messages in it, in order of arrival, with the moment from which their age counts."""
    hidden: dict[str, set[int]] = attrs.field(factory=dict[str, set[int]])
    """For each queue, the messages in flight."""
    running: Counter[str] = attrs.field(factory=Counter[str])

    def __attrs_post_init__(self) -> None:
        """Start with empty queues."""
        for queue in self.scenario.design.queues:
            self.since[queue.name], self.hidden[queue.name] = {}, set()

    def follow(self, event: Event) -> Iterator[Sample]:
        """Take one event in and yield what it changes."""
        match event:
            case InvocationStarted() | InvocationEnded():
                self.running[event.function] += 1 if isinstance(event, InvocationStarted) else -1
                yield Sample(event.at, event.function, "ConcurrentExecutions", self.running[event.function])  # CW-18
            case Sent():
                self.since[event.queue][event.message] = event.at
                yield from self._queue(event.at, event.queue)
            case Received():
                self.hidden[event.queue].update(event.messages)
                yield from self._queue(event.at, event.queue)
            case Returned():
                self.since[event.queue].setdefault(event.message, event.at)  # it was deleted, and is back (RH-10)
                self.hidden[event.queue].discard(event.message)
                yield from self._queue(event.at, event.queue)
            case Deleted():
                gone = [message for message in event.messages if message not in event.stayed]
                yield from self._leave(event.at, event.queue, gone)
            case FilteredOut():
                yield from self._leave(event.at, event.queue, event.messages)
            case Expired():
                yield from self._leave(event.at, event.queue, (event.message,))
            case DeadLettered():
                yield from self._leave(event.at, event.queue, (event.message,))
                self.since[event.target][event.message] = event.at
                yield from self._queue(event.at, event.target)
            case _:
                pass

    def _leave(self, at: int, queue: str, messages: Sequence[int]) -> Iterator[Sample]:
        oldest = min((self.since[queue].get(message, at) for message in messages), default=at)
        yield Sample(at, queue, "ApproximateAgeOfOldestMessage", (at - oldest) / 1000)
        for message in messages:
            self.since[queue].pop(message, None)
            self.hidden[queue].discard(message)
        yield from self._queue(at, queue)

    def _queue(self, at: int, queue: str) -> Iterator[Sample]:
        hidden = len(self.hidden[queue])
        yield Sample(at, queue, "ApproximateNumberOfMessagesNotVisible", hidden)
        yield Sample(at, queue, "ApproximateNumberOfMessagesVisible", len(self.since[queue]) - hidden)

    def ages_at(self, at: int) -> Iterator[Sample]:
        """The age of the oldest message of each queue at a moment (DLQ-11: since the move)."""
        for queue, since in self.since.items():
            age = at - min(since.values(), default=at)
            yield Sample(at, queue, "ApproximateAgeOfOldestMessage", age / 1000)

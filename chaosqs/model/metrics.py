"""CloudWatch's metrics of a run, computed from its events (ledger §11). Ages and times in seconds, durations in ms.

A queue counts sends that succeed, not moves (CW-1, DLQ-16), messages at each delivery (CW-2), deletes that succeed
(CW-3) and receives that return nothing (CW-4). Its messages visible and in flight and their oldest age are gauges
(CW-6, CW-7, CW-9).

Each invocation counts once, and once more as an error if it ends in one (CW-14, CW-15); a throttle counts only as a
throttle (CW-16, LC-14). A mapping counts messages: read, filtered out, handed over, failed or reported, deleted
(CW-26 … CW-30, FL-11, PB-14); one that is disabled reads none (CW-33).
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Literal, TypeAlias, TypedDict, get_args

import attrs

from chaosqs.model.delivery import Fate
from chaosqs.model.events import (
    DeadLettered,
    Deleted,
    Event,
    Expired,
    FilteredOut,
    InvocationEnded,
    InvocationStarted,
    Received,
    ReceivedNothing,
    Returned,
    Sent,
    ServiceFailed,
    Throttled,
)
from chaosqs.model.scenario import Scenario
from chaosqs.model.time import milliseconds

# Gauges ---------------------------------------------------------------------------------------------------------------

Gauge: TypeAlias = Literal[
    "ConcurrentExecutions",
    "ApproximateNumberOfMessagesVisible",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateAgeOfOldestMessage",
]
GAUGES: tuple[Gauge, ...] = get_args(Gauge)


@attrs.frozen
class Sample:
    """One change of one metric of one queue, function or mapping: an amount to count, or the new value of a gauge."""

    at: int
    name: str
    metric: str
    value: float


@attrs.define
class Gauges:
    """The state of queues and functions, updated event by event."""

    scenario: Scenario
    since: dict[str, dict[int, int]] = attrs.field(factory=dict[str, dict[int, int]])
    """For each queue, its messages in order of arrival, with the time from which their age counts."""
    hidden: dict[str, set[int]] = attrs.field(factory=dict[str, set[int]])
    """For each queue, its messages in flight."""
    running: Counter[str] = attrs.field(factory=Counter[str])

    def __attrs_post_init__(self) -> None:
        """Start with empty queues."""
        for queue in self.scenario.design.queues:
            self.since[queue.name], self.hidden[queue.name] = {}, set()

    def follow(self, event: Event) -> Iterator[Sample]:
        """Apply an event and yield the values that it changes."""
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
                self.since[event.queue].setdefault(event.message, event.at)  # back after its delete (RH-10)
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
        """Yield the age of each queue's oldest message at a time; in a dead-letter queue since the move (DLQ-11)."""
        for queue, since in self.since.items():
            age = at - min(since.values(), default=at)
            yield Sample(at, queue, "ApproximateAgeOfOldestMessage", age / 1000)


# Counts, summary and series -------------------------------------------------------------------------------------------

Figures = dict[str, float]


class Summary(TypedDict):
    """The shape of `History.summary()`."""

    queues: dict[str, Figures]
    functions: dict[str, Figures]
    mappings: dict[str, Figures]
    messages: dict[str, int]
    drained_at: float | None
    ended_at: float


QueueCount: TypeAlias = Literal[
    "NumberOfMessagesSent", "NumberOfMessagesReceived", "NumberOfMessagesDeleted", "NumberOfEmptyReceives"
]
FunctionCount: TypeAlias = Literal["Invocations", "Errors", "Throttles"]
MappingCount: TypeAlias = Literal[
    "PolledEventCount",
    "InvokedEventCount",
    "FilteredOutEventCount",
    "FailedInvokeEventCount",
    "DeletedEventCount",
    "batches",
]
Metric: TypeAlias = Gauge | QueueCount | FunctionCount | MappingCount | Literal["Duration"]
"""A name that `History.series` takes: CloudWatch's, and `batches`."""
QUEUE_COUNTS: tuple[QueueCount, ...] = get_args(QueueCount)
FUNCTION_COUNTS: tuple[FunctionCount, ...] = get_args(FunctionCount)
MAPPING_COUNTS: tuple[MappingCount, ...] = get_args(MappingCount)
_QUEUE_PEAKS = ("ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesNotVisible")  # a summary has their maximum
_QUEUE_ENDS = ("ApproximateNumberOfMessagesVisible",)  # a summary has their value at the end of the run


def counts(events: Iterable[Event]) -> Iterator[Sample]:
    """Yield each occurrence that a count metric counts."""
    for event in events:
        match event:
            case Sent() | Received() | ReceivedNothing() | Deleted():
                yield from _queue_counts(event)
            case Throttled():
                yield Sample(event.at, event.function, "Throttles", 1)
            case ServiceFailed():
                yield Sample(event.at, event.mapping, "FailedInvokeEventCount", len(event.messages))
            case FilteredOut():
                yield Sample(event.at, event.mapping, "FilteredOutEventCount", len(event.messages))
                yield Sample(event.at, event.queue, "NumberOfMessagesDeleted", len(event.messages))
            case InvocationStarted():
                yield Sample(event.at, event.function, "Invocations", 1)
                yield Sample(event.at, event.mapping, "InvokedEventCount", len(event.messages))
            case InvocationEnded():
                yield from _ended(event)
            case _:
                pass


def _queue_counts(event: Sent | Received | ReceivedNothing | Deleted) -> Iterator[Sample]:
    match event:
        case Sent():
            yield Sample(event.at, event.queue, "NumberOfMessagesSent", 1)
        case Received():
            yield Sample(event.at, event.queue, "NumberOfMessagesReceived", len(event.messages))
            if not event.lost:
                yield Sample(event.at, event.mapping, "PolledEventCount", len(event.messages))
                yield Sample(event.at, event.mapping, "batches", 1)
        case ReceivedNothing():
            for k in range(1, event.count + 1):
                yield Sample(event.since + k * event.every, event.queue, "NumberOfEmptyReceives", 1)
        case Deleted():
            yield Sample(event.at, event.queue, "NumberOfMessagesDeleted", _succeeded(event))
            if not event.fault:
                yield Sample(event.at, event.mapping, "DeletedEventCount", _succeeded(event))


def _succeeded(event: Deleted) -> int:
    """Count the deletes that SQS accepted: all except lost ones, and late ones on a FIFO queue (RH-5)."""
    refused = event.stayed if event.fault or event.queue.endswith(".fifo") else ()
    return len(event.messages) - len(refused)


def _ended(event: InvocationEnded) -> Iterator[Sample]:
    yield Sample(event.at, event.function, "Duration", event.duration)  # CW-17
    if event.outcome != "succeeded":
        yield Sample(event.at - event.duration, event.function, "Errors", 1)
        yield Sample(event.at, event.mapping, "FailedInvokeEventCount", len(event.messages))
    elif event.failed and event.rule != "EF-2":  # PB-14; not counted if the mapping ignores the report
        yield Sample(event.at, event.mapping, "FailedInvokeEventCount", len(event.failed))


def summary(
    scenario: Scenario, events: tuple[Event, ...], fates: Sequence[Fate], ended_at_ms: int, drained_at_ms: int | None
) -> Summary:
    """Return a whole run in CloudWatch's metrics."""
    total: Counter[tuple[str, str]] = Counter()
    for sample in counts(events):
        total[sample.name, sample.metric] += sample.value  # type: ignore[assignment]
    ended = Counter(event.function for event in events if isinstance(event, InvocationEnded))
    peak, last = _gauged(scenario, events, ended_at_ms)
    design = scenario.design
    return {
        "queues": {
            queue.name: {metric: total[queue.name, metric] for metric in QUEUE_COUNTS}
            | {metric: peak.get((queue.name, metric), 0) for metric in _QUEUE_PEAKS}
            | {metric: last.get((queue.name, metric), 0) for metric in _QUEUE_ENDS}
            for queue in design.queues
        },
        "functions": {
            function.name: {metric: total[function.name, metric] for metric in FUNCTION_COUNTS}
            | {
                "ConcurrentExecutions": peak.get((function.name, "ConcurrentExecutions"), 0),
                "Duration": total[function.name, "Duration"] / max(1, ended[function.name]),
            }
            for function in design.functions
        },
        "mappings": {
            mapping.name: {metric: total[mapping.name, metric] for metric in MAPPING_COUNTS}
            for mapping in design.mappings
        },
        "messages": _messages(scenario, events, fates),
        "drained_at": None if drained_at_ms is None else drained_at_ms / 1000,
        "ended_at": ended_at_ms / 1000,
    }


def _gauged(
    scenario: Scenario, events: tuple[Event, ...], ended_at_ms: int
) -> tuple[dict[tuple[str, str], float], dict[tuple[str, str], float]]:
    """Return the maximum and the last value of each gauge, by name and metric."""
    gauges, peak, last = Gauges(scenario), dict[tuple[str, str], float](), dict[tuple[str, str], float]()
    samples = (sample for event in events for sample in gauges.follow(event))
    for sample in (*samples, *gauges.ages_at(ended_at_ms)):
        key = sample.name, sample.metric
        last[key] = sample.value
        peak[key] = max(peak.get(key, 0), sample.value)
    return peak, last


def _messages(scenario: Scenario, events: tuple[Event, ...], fates: Sequence[Fate]) -> dict[str, int]:
    processed: Counter[int] = Counter()
    for event in events:
        if isinstance(event, InvocationEnded) and event.outcome == "succeeded":
            processed.update(message for message in event.messages if message not in event.failed)
    polled = [mapping.queue for mapping in scenario.design.mappings]
    return {
        "sent": sum(isinstance(event, Sent) for event in events),
        "processed": len(processed),
        "processed_twice": sum(times > 1 for times in processed.values()),
        "dead_lettered": len({fate.event.message for fate in fates}),
        "dead_lettered_unprocessed": sum(not fate.processed for fate in fates),
        "dead_lettered_by_throttling": sum(bool(fate.throttled) and not fate.processed for fate in fates),
        "expired": sum(isinstance(event, Expired) for event in events),
        "remaining": len(_remaining(events, polled)),
    }


def _remaining(events: Iterable[Event], polled: Sequence[str]) -> dict[int, str]:
    """Return the queue of each remaining message, without those in dead-letter queues that nobody polls."""
    queue_of: dict[int, str] = {}
    for event in events:
        match event:
            case Sent() | Returned():  # may come after the delete (RH-10)
                queue_of[event.message] = event.queue
            case Deleted():
                for message in event.messages:
                    if message not in event.stayed and queue_of.get(message) == event.queue:
                        del queue_of[message]
            case DeadLettered() if event.target in polled:
                queue_of[event.message] = event.target
            case DeadLettered() | Expired():
                queue_of.pop(event.message, None)
            case FilteredOut():
                for message in event.messages:
                    queue_of.pop(message, None)
            case _:
                pass
    return queue_of


def series(
    scenario: Scenario, events: tuple[Event, ...], ended_at_ms: int, metric: Metric, name: str, *, period: float
) -> list[tuple[float, float]]:
    """Return one metric over time: sums of counts, maxima of gauges, means of durations, for each period to the end."""
    names = [
        *(queue.name for queue in scenario.design.queues),
        *(function.name for function in scenario.design.functions),
    ]
    names += [mapping.name for mapping in scenario.design.mappings]
    if name not in names:
        message = f"no queue, function or mapping is called {name!r}: the design has {', '.join(names)}"
        raise ValueError(message)
    known = (*GAUGES, *QUEUE_COUNTS, *FUNCTION_COUNTS, *MAPPING_COUNTS, "Duration")
    if metric not in known:
        message = f"no metric is called {metric!r}: there are {', '.join(known)}"
        raise ValueError(message)
    width = milliseconds(period)
    if width <= 0:
        message = f"period must be at least 0.001 seconds, not {period}"
        raise ValueError(message)
    if metric in GAUGES:
        return _maxima(scenario, events, (name, metric), ended_at_ms, width)
    samples = [sample for sample in counts(events) if sample.name == name and sample.metric == metric]
    return _means(samples, ended_at_ms, width) if metric == "Duration" else _sums(samples, ended_at_ms, width)


def _sums(samples: Iterable[Sample], ended_at_ms: int, width: int) -> list[tuple[float, float]]:
    sums = [0.0] * (ended_at_ms // width + 1)
    for sample in samples:
        sums[max(0, min(sample.at, ended_at_ms)) // width] += sample.value
    return [(k * width / 1000, value) for k, value in enumerate(sums)]


def _means(samples: Sequence[Sample], ended_at_ms: int, width: int) -> list[tuple[float, float]]:
    """Return the means, 0 where there is nothing: CloudWatch has no value there."""
    ones = [attrs.evolve(sample, value=1) for sample in samples]
    pairs = zip(_sums(samples, ended_at_ms, width), _sums(ones, ended_at_ms, width), strict=True)
    return [(start, total / max(1, count)) for (start, total), (_, count) in pairs]


def _maxima(
    scenario: Scenario, events: tuple[Event, ...], key: tuple[str, str], ended_at_ms: int, width: int
) -> list[tuple[float, float]]:
    """Return the maximum of a gauge in each period: of its value at the start, its changes, and the ages at the end."""
    gauges, held, maxima, index = Gauges(scenario), 0.0, list[tuple[float, float]](), 0
    for k in range(ended_at_ms // width + 1):
        end = min((k + 1) * width, ended_at_ms + 1)
        peak = held
        while index < len(events) and events[index].at < end:
            for sample in gauges.follow(events[index]):
                if (sample.name, sample.metric) == key:
                    peak, held = max(peak, sample.value), sample.value
            index += 1
        for sample in gauges.ages_at(min(end, ended_at_ms)):
            if (sample.name, sample.metric) == key:
                peak, held = max(peak, sample.value), sample.value
        maxima.append((k * width / 1000, peak))
    return maxima

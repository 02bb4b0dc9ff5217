"""No message is lost: each message that SQS accepted is processed, or ends where the design lets it end.

The other permitted ends: dead-lettered (`no-early-dead-lettering` judges when), expired when its retention is over and
not before (RT-1, DLQ-9, DLQ-10), or still in a queue when the run ends. Messages that code deletes by hand, and
messages that are purged or moved, are not judged: code or the queue's owner has taken responsibility for them. A filter
may drop a message, unless another mapping of the same queue lets it pass: the mappings compete for each message, and
the one that gets it deletes what is meant for the other (FL-2).
"""

from collections import Counter

import attrs

from chaosqs.invariants.filtered_never_delivered import passes
from chaosqs.invariants.verdicts import Invariant, judged, message_text
from chaosqs.model.design import Design, EventSourceMapping, Queue
from chaosqs.model.events import (
    DeadLettered,
    Deleted,
    Event,
    Expired,
    FilteredOut,
    InvocationEnded,
    InvocationStarted,
    Sent,
)
from chaosqs.model.history import History
from chaosqs.model.time import clock_text, milliseconds
from chaosqs.model.verdict import Verdict, Violation
from chaosqs.model.workload import Load, as_sent

NAME = "at-least-once-delivery"


def judge(history: History) -> Verdict:
    """Blame each message that was deleted unprocessed, dead-lettered too soon or expired too soon."""
    design = history.scenario.design
    queues = {queue.name: queue for queue in design.queues}
    trail = _Trail(design, history.events, queues, history.scenario.workload)
    changes = dict(history.designs[1:])
    for index, event in history.besides_throttles:
        if index in changes:
            trail.change(changes[index])
        trail.follow(index, event)
    return judged(NAME, trail.blamed(), len(trail.since), "no message was sent")


@attrs.define
class _Trail:
    """The state of each message, updated event by event."""

    design: Design
    events: tuple[Event, ...]
    queues: dict[str, Queue]
    """Queues of the design, by name; queues that clients create are missing."""
    workload: tuple[Load, ...]
    since: dict[int, int] = attrs.field(factory=dict[int, int])
    """Start of the retention of each message, in milliseconds."""
    seen: Counter[int] = attrs.field(factory=Counter[int])
    """Number of invocations that got each message."""
    running: Counter[int] = attrs.field(factory=Counter[int])
    """Number of those invocations that have not ended."""
    processed: dict[int, bool] = attrs.field(factory=dict[int, bool])
    deleted: list[tuple[int, Deleted, int]] = attrs.field(factory=list[tuple[int, Deleted, int]])
    """Index, event and message of each delete by a mapping; judged when the run is over."""
    filtered: list[tuple[int, FilteredOut, int]] = attrs.field(factory=list[tuple[int, FilteredOut, int]])
    """The same of each message that a filter dropped, where its queue has several mappings."""
    violations: list[Violation] = attrs.field(factory=list[Violation])

    def change(self, design: Design) -> None:
        """Use the design as an operator has changed it."""
        self.design, self.queues = design, {queue.name: queue for queue in design.queues}

    def follow(self, index: int, event: Event) -> None:
        match event:
            case Sent():
                self.since[event.message] = event.at
            case InvocationStarted():
                self.seen.update(event.messages)
                self.running.update(event.messages)
            case InvocationEnded():
                self.running.subtract(event.messages)
                if event.outcome == "succeeded":
                    self.processed.update((message, True) for message in event.messages if message not in event.failed)
            case Deleted() if event.mapping:
                self._deleted(index, event)
            case FilteredOut() if len(self._polling(event.queue)) > 1:
                self.filtered += [(index, event, message) for message in event.messages]
            case DeadLettered():
                self._dead_lettered(event)
            case Expired():
                self._expired(index, event)
            case _:
                pass

    def _deleted(self, index: int, event: Deleted) -> None:
        answer = None if event.cause is None else self.events[event.cause]
        failed = answer.failed if isinstance(answer, InvocationEnded) else ()
        for message in event.messages:
            if message in event.stayed:
                continue
            if message in failed:
                self._blame_ignored_answer(index, event, message)
            else:
                self.deleted.append((index, event, message))

    def _blame_ignored_answer(self, index: int, event: Deleted, message: int) -> None:
        mapping = next(mapping for mapping in self.design.mappings if mapping.name == event.mapping)
        deleted = f"{message_text(message)} was deleted from {event.queue}"
        why = "" if mapping.report_batch_item_failures else ": report_batch_item_failures is off"  # EF-2
        text = f"{deleted} although {mapping.function} reported it as failed{why}."
        self._blame(text, event, message, *(() if event.cause is None else (event.cause,)), index)

    def _dead_lettered(self, event: DeadLettered) -> None:
        queue = self.queues.get(event.queue)
        if queue and queue.fifo:
            self.since[event.message] = event.at  # DLQ-10; a standard queue keeps the time of sending, DLQ-9

    def _expired(self, index: int, event: Expired) -> None:
        retention = milliseconds(self.queues[event.queue].retention_period) if event.queue in self.queues else 0
        age = event.at - self.since.get(event.message, event.at)
        if age < retention:
            early, period = clock_text(retention - age), clock_text(retention)
            expired = f"{message_text(event.message)} expired in {event.queue}"
            text = f"{expired} {early} before its retention period of {period} was over."
            self._blame(text, event, event.message, index)

    def blamed(self) -> list[Violation]:
        """Return the violations in the order of events, when the whole run has shown what was never processed."""
        for index, event, message in self.deleted:
            if message in self.processed or self.running[message]:
                continue
            deleted, function = (
                f"{message_text(message)} was deleted from {event.queue}",
                event.mapping.rpartition("→")[2],
            )
            why = f"{function} never succeeded on it" if self.seen[message] else f"{function} never saw it"
            self._blame(f"{deleted} although {why}.", event, message, index)
        sent = as_sent(self.workload) if self.filtered else []
        for index, dropped, message in self.filtered:
            if message not in self.processed and not self.running[message]:
                body = sent[message].body(message) if message < len(sent) else None
                self._blame_filter(index, dropped, message, body)
        return sorted(self.violations, key=lambda violation: violation.events[-1])

    def _polling(self, queue: str) -> list[EventSourceMapping]:
        return [mapping for mapping in self.design.mappings if mapping.queue == queue and mapping.enabled]

    def _blame_filter(self, index: int, event: FilteredOut, message: int, body: str | None) -> None:
        """Blame a filter that dropped a message which another mapping lets pass; `body`: None if it is unknown."""
        for other in self._polling(event.queue):
            lets_pass = passes(other.filters, body) if body is not None else not other.filters
            if other.name != event.mapping and lets_pass:
                deleted = f"{message_text(message)} was deleted from {event.queue} by the filters of {event.mapping}"
                seen = "never succeeded on it" if self.seen[message] else "never saw it"
                text = f"{deleted} although {other.name} lets it pass: {other.function} {seen}."  # FL-2
                self._blame(text, event, message, *(() if event.cause is None else (event.cause,)), index)
                return

    def _blame(self, text: str, event: Deleted | Expired | FilteredOut, message: int, *indexes: int) -> None:
        self.violations.append(Violation(NAME, text, event.at, event.queue, (message,), indexes))


AT_LEAST_ONCE_DELIVERY = Invariant(
    name=NAME,
    title="at-least-once delivery",
    statement="Every message is processed, dead-lettered, expired when its retention is over, filtered out if no other "
    "mapping of its queue lets it pass, or still in a queue at the end.",
    applies="To every design; exercised when a message is sent.",
    unit="messages",
    default=True,
    judge=judge,
)

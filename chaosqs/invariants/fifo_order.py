"""Within a message group, messages are processed in the order of sending.

A FIFO queue returns no message of a group while an earlier one is hidden (FF-14, FF-17), and a mapping keeps that order
(EQ-3). A function breaks the order if it reports one message of a batch as failed and goes on with the next: those are
deleted, and the failed one is processed after them (PB-15). A dead-lettered message leaves the order, and the group
goes on without it: that is not a violation (DLQ-14).
"""

from collections.abc import Iterable

import attrs

from chaosqs.invariants.verdicts import Invariant, judged, message_text, messages_text, not_applicable
from chaosqs.model import events
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict, Violation

NAME = "fifo-order"


def judge(history: History) -> Verdict:
    """Blame each invocation that gets a message before an earlier one of its group, or after a later one."""
    fifo = [queue.name for queue in history.scenario.design.queues if queue.fifo]
    if not any(mapping.enabled and mapping.queue in fifo for mapping in history.scenario.design.mappings):
        return not_applicable(NAME, "no mapping polls a FIFO queue")
    order = _Order(fifo)
    for index, event in history.besides_throttles:
        order.follow(index, event)
    return judged(NAME, order.violations, order.exercised, "no group had two messages to put in order")


@attrs.define
class _Group:
    """The messages of one group in one queue."""

    waiting: dict[int, None] = attrs.field(factory=dict[int, None])
    """Messages in the queue, in the order of arrival."""
    came: dict[int, int] = attrs.field(factory=dict[int, int])
    """Position in the order of arrival, of each message ever in the group."""
    running: list[int] = attrs.field(factory=list[int])
    succeeded: dict[int, int] = attrs.field(factory=dict[int, int])
    """Index of the first success of an invocation on a message, by message."""
    latest: int | None = None
    """The succeeded message with the highest position."""

    def skipped(self, batch: Iterable[int]) -> list[int]:
        """Return the waiting messages that come before the last one of a batch, and are neither in it nor in work."""
        last = max(self.came[message] for message in batch)
        return [
            message
            for message in self.waiting
            if self.came[message] < last
            and message not in batch
            and message not in self.succeeded
            and message not in self.running
        ]


@attrs.define
class _Order:
    """The order of all groups, updated event by event."""

    fifo: list[str]
    groups: dict[tuple[str, str], _Group] = attrs.field(factory=dict[tuple[str, str], _Group])
    names: dict[int, str] = attrs.field(factory=dict[int, str])
    """The group id of each message."""
    exercised: int = 0
    violations: list[Violation] = attrs.field(factory=list[Violation])

    def follow(self, index: int, event: events.Event) -> None:
        match event:
            case events.Sent():
                self.names[event.message] = event.group
                self._came(event.queue, event.message)
            case events.DeadLettered():
                self._left(event.queue, (event.message,))
                self._came(event.target, event.message)
            case events.Deleted():
                self._left(event.queue, (message for message in event.messages if message not in event.stayed))
            case events.FilteredOut():
                self._left(event.queue, event.messages)
            case events.Expired():
                self._left(event.queue, (event.message,))
            case events.InvocationStarted():
                self._started(index, event)
            case events.InvocationEnded():
                self._ended(index, event)
            case _:
                pass

    def _came(self, queue: str, message: int) -> None:
        if queue in self.fifo:
            group = self.groups.setdefault((queue, self.names.get(message, "")), _Group())
            group.waiting[message] = None
            group.came[message] = len(group.came)

    def _left(self, queue: str, messages: Iterable[int]) -> None:
        for message in messages:
            group = self.groups.get((queue, self.names.get(message, "")))
            if group is not None:
                group.waiting.pop(message, None)

    def _batch(self, event: events.InvocationStarted | events.InvocationEnded) -> list[tuple[_Group, list[int]]]:
        """Return a batch by groups; nothing if its queue is not FIFO."""
        queue, found = _queue(event), dict[str, list[int]]()
        for message in event.messages if queue in self.fifo else ():
            found.setdefault(self.names.get(message, ""), []).append(message)
        return [(self.groups[queue, name], batch) for name, batch in found.items() if (queue, name) in self.groups]

    def _started(self, index: int, event: events.InvocationStarted) -> None:
        for group, messages in self._batch(event):
            batch = [message for message in messages if message in group.came]
            if not batch:
                continue
            self.exercised += len(batch) if len(group.came) > 1 else 0
            self._check_skipped(index, event, group, batch)
            self._check_late(index, event, group, batch)
            group.running.extend(batch)

    def _check_skipped(self, index: int, event: events.InvocationStarted, group: _Group, batch: list[int]) -> None:
        """Blame a batch that skips an earlier message, or is itself out of order."""
        skipped = group.skipped(batch)
        if not skipped:
            highest = -1
            for message in batch:
                if group.came[message] < highest:
                    skipped = [message]
                highest = max(highest, group.came[message])
        if skipped:
            later = next(message for message in batch if group.came[message] > group.came[skipped[0]])
            self.violations.append(_before(index, event, later, skipped[0]))

    def _check_late(self, index: int, event: events.InvocationStarted, group: _Group, batch: list[int]) -> None:
        """Blame a batch with a message whose group has already had a success on a later one."""
        for message in batch:
            latest = group.latest
            if latest is not None and message not in group.succeeded and group.came[message] < group.came[latest]:
                self.violations.append(_after(index, event, message, latest, group.succeeded[latest]))

    def _ended(self, index: int, event: events.InvocationEnded) -> None:
        for group, batch in self._batch(event):
            for message in batch:
                if message in group.running:
                    group.running.remove(message)
                if event.outcome == "succeeded" and message not in event.failed and message in group.came:
                    group.succeeded.setdefault(message, index)
                    if group.latest is None or group.came[group.latest] < group.came[message]:
                        group.latest = message


def _before(index: int, event: events.InvocationStarted, message: int, earlier: int) -> Violation:
    text = f"{_given(event, message)} before {messages_text([earlier])}, which was sent earlier to the same group."
    return Violation(NAME, text, event.at, _queue(event), (message, earlier), (index,))


def _after(index: int, event: events.InvocationStarted, message: int, later: int, success: int) -> Violation:
    text = f"{_given(event, message)} after {messages_text([later])}, which was sent later to the same group."
    return Violation(NAME, text, event.at, _queue(event), (message, later), (success, index))


def _given(event: events.InvocationStarted, message: int) -> str:
    return f"{message_text(message)} was given to {event.function}"


def _queue(event: events.InvocationStarted | events.InvocationEnded) -> str:
    return event.mapping.partition("→")[0]


FIFO_ORDER = Invariant(
    name=NAME,
    title="fifo order",
    statement="Within a message group, messages are processed in the order of sending; what is dead-lettered leaves "
    "the order.",
    applies="To designs with a mapping that polls a FIFO queue; exercised when a function gets a message of a group "
    "that has others.",
    unit="messages in order",
    default=True,
    judge=judge,
)

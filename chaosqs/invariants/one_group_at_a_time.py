"""At any moment at most one invocation has messages of a group (EQ-1).

A FIFO queue blocks a group while a message of the group is in flight (FF-14). Two invocations therefore overlap if the
first one takes longer than the visibility timeout: its messages come back, and another poller takes them (FF-17, EF-6).
"""

import attrs

from chaosqs.invariants.redelivery import DECIDING, excuse, late, preventable, why_again
from chaosqs.invariants.verdicts import Invariant, judged, messages_text, not_applicable
from chaosqs.model.delivery import Delivery
from chaosqs.model.events import Deleted, Expired, InvocationEnded, InvocationStarted
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict, Violation

NAME = "one-group-at-a-time"


def judge(history: History) -> Verdict:
    """Blame each invocation that gets messages of a group while another one works on that group."""
    fifo = {queue.name for queue in history.scenario.design.queues if queue.fifo}
    polling = {
        mapping.name: mapping.queue
        for mapping in history.scenario.design.mappings
        if mapping.enabled and mapping.queue in fifo
    }
    if not polling:
        return not_applicable(NAME, "no mapping polls a FIFO queue")
    holders = _Holders(history, polling)
    starts: list[tuple[int, InvocationStarted | InvocationEnded]] = [*history.each(InvocationStarted)]
    for index, event in sorted([*starts, *history.each(InvocationEnded)], key=lambda entry: entry[0]):
        if event.mapping not in polling:
            continue
        if isinstance(event, InvocationStarted):
            holders.start(index, event)
        else:
            holders.end(event)
    idle, excused = "no group was handed out twice", holders.excused
    return judged(NAME, holders.violations, holders.exercised, idle, excused, candidates=holders.candidates)


@attrs.define
class _Holders:
    """The invocations that work on each group."""

    history: History
    queues: dict[str, str]
    """The queue of each mapping that polls a FIFO queue."""
    running: dict[tuple[str, str], dict[int, tuple[int, InvocationStarted]]] = attrs.field(
        factory=dict[tuple[str, str], dict[int, tuple[int, InvocationStarted]]]
    )
    """For each group that was ever handed out, by invocation: index and start of each invocation that works on it."""
    exercised: int = 0
    violations: list[Violation] = attrs.field(factory=list[Violation])
    excused: list[str] = attrs.field(factory=list[str])
    candidates: list[Violation] = attrs.field(factory=list[Violation])

    def start(self, index: int, event: InvocationStarted) -> None:
        """Record the start of an invocation."""
        for group in self._groups(event):
            holders = self.running.get(group)
            if holders is None:
                holders = self.running[group] = {}
            else:
                self.exercised += 1
            if holders:
                self._meet(group, *list(holders.values())[-1], index, event)
            holders[event.invocation] = index, event

    def end(self, event: InvocationEnded) -> None:
        """Record the end of an invocation."""
        for group in self._groups(event):
            self.running.get(group, {}).pop(event.invocation, None)

    def _groups(self, event: InvocationStarted | InvocationEnded) -> list[tuple[str, str]]:
        queue, sent = self.queues[event.mapping], self.history.sent
        return list(dict.fromkeys((queue, sent[message].group) for message in event.messages if message in sent))

    def _meet(
        self, group: tuple[str, str], held: int, holder: InvocationStarted, index: int, event: InvocationStarted
    ) -> None:
        """Blame the second of two invocations that work on one group, or the fault that brought them together."""
        queue, name = group
        first, second = self._delivery(held, holder, name), self._delivery(index, event, name)
        batch = messages_text(message for message in event.messages if self.history.sent[message].group == name)
        given = f"{event.function} was given {batch} of group {name!r} while it still worked on"
        it = "it" if batch == messages_text([first.message]) else f"{messages_text([first.message])} of the same group"
        text = f"{given} {it}"
        fault = excuse(self.history, first, second) or late(self.history, second)
        indexes = tuple(sorted({first.received, held, second.received, index}))
        why = _gone(self.history, first, second) or why_again(self.history, first)
        messages = (second.message, first.message) if first.message != second.message else (first.message,)
        violation = Violation(NAME, f"{text}: {why}.", event.at, queue, messages, indexes)
        if fault:
            self.excused.append(f"{text}, but only by a fault: {fault}")
            self.candidates += preventable(self.history, violation, fault, DECIDING)
        else:
            self.violations.append(violation)

    def _delivery(self, index: int, event: InvocationStarted, group: str) -> Delivery:
        """Return the delivery by which an invocation got its first message of a group."""
        history = self.history
        message = next(message for message in event.messages if history.sent[message].group == group)
        return next(delivery for delivery in history.deliveries[message] if delivery.started == index)


def _gone(history: History, first: Delivery, second: Delivery) -> str:
    """Return how the first message left the queue meanwhile, or nothing: that unblocks its group (RT-1, FF-16)."""
    for event in history.events[first.received : second.received]:
        if isinstance(event, Expired) and event.message == first.message:
            return f"the retention of {messages_text([first.message])} had ended meanwhile"
        if isinstance(event, Deleted) and first.message in event.messages and first.message not in event.stayed:
            return f"{messages_text([first.message])} had been deleted meanwhile"
    return ""


ONE_GROUP_AT_A_TIME = Invariant(
    name=NAME,
    title="one group at a time",
    statement="At any moment at most one invocation has messages of a group.",
    applies="To designs with a mapping that polls a FIFO queue; exercised when messages of a group are handed out that "
    "had been handed out before.",
    unit="further invocations of a group",
    default=True,
    judge=judge,
)

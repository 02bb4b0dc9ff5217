"""Once the faults are over, all messages come to an end: none waits or cycles for ever.

`chaosqs.model.liveness` gives the deadline by which each message is processed, dead-lettered or expired. Other
invariants judge whether it should have been dead-lettered. A processed message may still be in its queue, unless it
cycles for ever: each delete comes too late, and each delivery meets the same state as the one before. Redrive policies
that lead back to a queue make a loop, too: a message that fails goes round in it until its retention ends (DLQ-9), or
on FIFO queues without end (DLQ-10).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

import attrs

from chaosqs.invariants.verdicts import (
    Invariant,
    counted,
    judged,
    listed,
    message_text,
    messages_text,
    not_applicable,
    times,
    unique,
)
from chaosqs.model.delivery import Delivery, Ending
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.events import DeadLettered, Deleted, Event, Expired, FilteredOut, Operated, Received, Returned, Sent
from chaosqs.model.history import History
from chaosqs.model.liveness import MOST_RECEIVES, liveness_deadline, redrive_loop
from chaosqs.model.time import clock_text, milliseconds
from chaosqs.model.verdict import Verdict, Violation
from chaosqs.model.workload import arrivals

# Messages that remain -------------------------------------------------------------------------------------------------


@attrs.define
class Stay:
    """The stay of one message in a queue."""

    message: int
    queue: str
    group: str
    came: int
    """Index of the event by which it came."""


@attrs.define
class Remaining:
    """The messages in all queues, updated event by event."""

    stays: dict[int, Stay] = attrs.field(factory=dict[int, Stay])
    """Stays by message number, in the order of arrival."""
    gone: dict[int, Stay] = attrs.field(factory=dict[int, Stay])
    """Stays of messages that left: a replica may bring one back after its delete (RH-10)."""
    found: dict[int, int] = attrs.field(factory=dict[int, int])
    """For the index of each receive, the number of messages in all queues."""
    sent: int = 0
    last_sent: int = 0
    """Time at which the last message was sent, in milliseconds."""

    @classmethod
    def of(cls, events: Iterable[tuple[int, Event]]) -> Remaining:
        """Return the messages that remain after all events of a run, with their indexes."""
        remaining = cls()
        for index, event in events:
            remaining._follow(index, event)
        return remaining

    def _follow(self, index: int, event: Event) -> None:
        match event:
            case Sent():
                self.stays[event.message] = Stay(event.message, event.queue, event.group, index)
                self.sent, self.last_sent = self.sent + 1, event.at
            case Received():
                self.found[index] = len(self.stays)
            case Deleted():
                self._leave(event.queue, (message for message in event.messages if message not in event.stayed))
            case FilteredOut():
                self._leave(event.queue, event.messages)
            case Expired():
                self._leave(event.queue, (event.message,))
            case DeadLettered():
                self._move(index, event)
            case Returned() if event.message in self.gone:
                self.stays[event.message] = self.gone.pop(event.message)
            case _:
                pass

    def _leave(self, queue: str, messages: Iterable[int]) -> None:
        for message in messages:
            if message in self.stays and self.stays[message].queue == queue:
                self.gone[message] = self.stays.pop(message)

    def _move(self, index: int, event: DeadLettered) -> None:
        before = self.stays.pop(event.message, None)
        group = "" if before is None else before.group
        self.stays[event.message] = Stay(event.message, event.target, group, index)


# Judging a history ----------------------------------------------------------------------------------------------------

NAME = "drains-after-healing"

_CIRCLE = 3  # equal deliveries in a row that count as a circle
_ENDING_TEXTS = {
    Ending.PROCESSED: "{function} succeeded on it, but it was not deleted before its visibility ended",
    Ending.REPORTED: "{function} reported it as failed",
    Ending.FAILED: "{function} failed on it",
    Ending.THROTTLED: "{function} had no execution for it",
    Ending.SERVICE_ERROR: "Lambda answered with a service error",
    Ending.FILTERED: "no filter of {function} let it pass",
    Ending.LOST: "its poller never saw it",
    Ending.HELD_BACK: "an earlier message of its group failed",
}
_FAILED = (Ending.FAILED, Ending.REPORTED)


def judge(history: History) -> Verdict:
    """Blame each message that remains after the deadline, and name the excuses of the others."""
    design = history.scenario.design
    if not design.mappings:
        return not_applicable(NAME, "the design has no mapping")
    remaining = Remaining.of(history.besides_throttles)
    polled = {mapping.queue for mapping in design.mappings}
    left = [stay for stay in remaining.stays.values() if stay.queue in polled]
    judge_of_stays = _BaselineJudge(history, remaining, _ends(history, remaining) if left else 0)
    excuses: dict[tuple[str, str], list[int]] = {}
    violations: list[Violation] = []
    for stay in left:
        excuse = judge_of_stays.excuse(stay)
        if excuse:
            excuses.setdefault((stay.queue, excuse), []).append(stay.message)
        elif judge_of_stays.is_stuck(stay):
            violations.append(judge_of_stays.violation(stay))
    excused = [_excused(queue, why, messages) for (queue, why), messages in excuses.items()]
    exercised = remaining.sent - sum(map(len, excuses.values()))
    return judged(NAME, violations, exercised, excused[0] if excused else "no message was sent", excused)


def _ends(history: History, remaining: Remaining) -> int:
    """Return the deadline in milliseconds; it is later if code sends messages besides those of the workload."""
    scenario = history.scenario
    faults = scenario.faults
    ends = 1000 * liveness_deadline(
        scenario.design, scenario.workload, scenario.behaviours, faults, scenario.assumptions
    )
    planned = max([arrival.at for arrival in arrivals(scenario.workload)[-1:]], default=0)
    return ends + max(0, remaining.last_sent - max(planned, milliseconds(faults.ends_at)))


def _excused(queue: str, why: str, messages: Sequence[int]) -> str:
    who = messages_text(messages) if len(messages) <= _CIRCLE else counted(len(messages), "message")
    verb = "is" if len(messages) == 1 else "are"
    return f"{who[0].upper()}{who[1:]} {verb} still in {queue}: {why}"


@attrs.frozen(slots=False)
class _BaselineJudge:
    """Judges why messages remain."""

    history: History
    remaining: Remaining
    ends: int
    """The deadline, in milliseconds."""

    # Excuses

    def excuse(self, stay: Stay) -> str:
        """Return the excuse for a message that remains; empty: none."""
        design = self.history.scenario.design
        mappings = [mapping for mapping in design.mappings if mapping.queue == stay.queue]
        polling = [mapping for mapping in mappings if mapping.enabled]
        if not polling:
            return f"{listed(mapping.name for mapping in mappings)} is disabled"
        return (
            _without_executions(design, polling)
            or self._operated(stay.queue, polling)
            or ("" if self._rounds(stay) else self._too_short())
            or self._failing(stay)
        )

    def _operated(self, queue: str, mappings: Sequence[EventSourceMapping]) -> str:
        names = {queue, *(mapping.name for mapping in mappings), *(mapping.function for mapping in mappings)}
        for event in self.history.events if self.history.scenario.faults.actions else ():
            if isinstance(event, Operated) and not event.fault and event.kind == "change" and event.target in names:
                return f"an operator changed {event.setting} of {event.target} at {clock_text(event.at)}"
        return ""

    def _too_short(self) -> str:
        if self.history.ended_at_ms >= self.ends:
            return ""
        return f"the run ended at {clock_text(self.history.ended_at_ms)}, it takes up to {clock_text(self.ends)}"

    def _failing(self, stay: Stay) -> str:
        """Return the excuse that a function itself fails on a message and no dead-lettering ends that; empty: none."""
        delivery = next(reversed(self._over(stay)), None)
        if delivery is None or delivery.ending not in _FAILED or delivery.fault:
            first = self._first_of_group(stay)
            alike = all(self._would_fail(mapping, stay.message) for mapping in self._mappings(stay.queue))
            return self._failing(first) if alike and first is not stay else ""
        redrive = self.history.scenario.design.queue(stay.queue).redrive
        function = self._function(delivery)
        if redrive is None:
            return f"{function} fails on it, and without a redrive policy it is retried until its retention ends"
        if redrive.max_receive_count <= MOST_RECEIVES:
            return ""
        return f"{function} fails on it, and max_receive_count grants {redrive.max_receive_count:,} deliveries"

    def _would_fail(self, mapping: EventSourceMapping, message: int) -> bool:
        behaviour = self.history.scenario.behaviour(mapping.function)
        seconds = behaviour.seconds_per_batch + behaviour.seconds_per_message * mapping.batch_size
        timeout = self.history.scenario.design.function(mapping.function).timeout
        return behaviour.error_rate > 0 or message in behaviour.poison or seconds >= timeout

    # Violations

    def is_stuck(self, stay: Stay) -> bool:
        """Return True if a message without an excuse is not processed, or cycles for ever."""
        processed = any(each.ending is Ending.PROCESSED for each in self.history.deliveries.get(stay.message, ()))
        return not processed or self._alike(self._over(stay)) >= _CIRCLE

    @cached_property
    def _moves(self) -> dict[tuple[int, str], list[int]]:
        """The indexes of the moves of each message into each dead-letter queue."""
        found: dict[tuple[int, str], list[int]] = {}
        for index, event in self.history.each(DeadLettered):
            found.setdefault((event.message, event.target), []).append(index)
        return found

    def _rounds(self, stay: Stay) -> list[int]:
        """Return the moves of a message into its queue if it goes round in a loop and no function succeeds on it."""
        moves = self._moves.get((stay.message, stay.queue), [])
        own = self.history.deliveries.get(stay.message, ())
        fair = not any(each.ending is Ending.PROCESSED or each.fault for each in own)
        return moves if len(moves) >= _CIRCLE and fair else []

    def _loop(self, stay: Stay, moves: Sequence[int]) -> Violation:
        """Return the violation by a message that goes round in a loop of redrive policies."""
        first, last = self.history.events[moves[0]].at, self.history.events[moves[-1]].at
        way = redrive_loop(self.history.scenario.design, stay.queue) or (stay.queue,)
        came = f"It came to {stay.queue} {times(len(moves))} from {clock_text(first)} to {clock_text(last)}"
        text = (
            f"{message_text(stay.message)} goes round without end: redrive policies lead {' → '.join((*way, way[0]))}. "
            f"{came}, and each time {self._text(self._failures(stay)[-1])}."
        )
        return Violation(NAME, text, last, stay.queue, (stay.message,), tuple(moves[:_CIRCLE]))

    def _failures(self, stay: Stay) -> list[Delivery]:
        """Return the ended deliveries of a message from any queue."""
        return [each for each in self.history.deliveries.get(stay.message, ()) if each.ending is not Ending.OPEN]

    def violation(self, stay: Stay) -> Violation:
        """Return the violation, with what the message waits for."""
        moves = self._rounds(stay)
        if moves:
            return self._loop(stay, moves)
        text = (
            f"{message_text(stay.message)} is still in {stay.queue} although all could be over "
            f"by {clock_text(self.ends)}: {self._waits_for(stay)}."
        )
        first = self._first_of_group(stay)
        concerned = [stay] if first is stay else [stay, first]
        found = [each for other in concerned for each in self._over(other)[-_CIRCLE:]]
        indexes = [index for each in found for index in (each.received, each.ended) if index is not None]
        indexes += [other.came for other in concerned]
        messages = tuple(other.message for other in concerned)
        return Violation(NAME, text, self.ends, stay.queue, messages, tuple(sorted(indexes)))

    def _waits_for(self, stay: Stay) -> str:
        first, found = self._first_of_group(stay), self._deliveries(stay)
        if first is not stay:
            return f"it waits behind message {first.message + 1:,} of its group, and that one {self._met(first)}"
        return f"it {self._met(stay)}" if found else "no poller has received it"

    def _met(self, stay: Stay) -> str:
        """Return a text on the endings of a message's deliveries, and on the circle if there is one."""
        received, found = len(self._deliveries(stay)), self._over(stay)
        if not found:
            return f"was received {times(received)}, and is in work" if received else "was never received"
        met = unique(self._text(each) for each in found)
        each_time = "" if received == 1 else "each time " if len(met) == 1 else "in the end "
        alike = self._alike(found)
        circle = f" – a circle: the last {times(alike)} nothing else had changed" if alike >= _CIRCLE else ""
        return f"was received {times(received)}, and {each_time}{self._text(found[-1])}{circle}"

    def _text(self, delivery: Delivery) -> str:
        fault = f" ({delivery.fault})" if delivery.fault else ""
        return _ENDING_TEXTS[delivery.ending].format(function=self._function(delivery)) + fault

    def _alike(self, found: Sequence[Delivery]) -> int:
        """Count the last deliveries that are equal: same batch, same ending, same number of messages in the queues."""
        states = [(each.ending, self._batch(each), self.remaining.found.get(each.received)) for each in found]
        alike = 0
        while alike < len(states) and states[-1 - alike] == states[-1]:
            alike += 1
        return alike

    def _batch(self, delivery: Delivery) -> tuple[int, ...]:
        event = self.history.events[delivery.received]
        return event.messages if isinstance(event, Received) else ()

    def _first_of_group(self, stay: Stay) -> Stay:
        """Return the first message of a FIFO group, for which the others wait (FF-13); else the message itself."""
        if not self.history.scenario.design.queue(stay.queue).fifo:
            return stay
        stays = self.remaining.stays.values()
        return next(other for other in stays if (other.queue, other.group) == (stay.queue, stay.group))

    def _deliveries(self, stay: Stay) -> list[Delivery]:
        """Return the deliveries of a message from the queue that it is in."""
        return [each for each in self.history.deliveries.get(stay.message, ()) if each.queue == stay.queue]

    def _over(self, stay: Stay) -> list[Delivery]:
        """Return the ended deliveries of a message from the queue that it is in."""
        return [each for each in self._deliveries(stay) if each.ending is not Ending.OPEN]

    def _mappings(self, queue: str) -> list[EventSourceMapping]:
        return [mapping for mapping in self.history.scenario.design.mappings if mapping.queue == queue]

    def _function(self, delivery: Delivery) -> str:
        return delivery.mapping.rpartition("→")[2] or "a client"


def _without_executions(design: Design, mappings: Sequence[EventSourceMapping]) -> str:
    """Return the excuse that no function can ever run: switched off (LC-5), or out of executions (LC-2); or nothing."""
    if any(design.concurrency_limit(mapping.function) for mapping in mappings):
        return ""
    function = mappings[0].function
    if design.function(function).reserved_concurrency == 0:
        return f"{function} is switched off by its reserved concurrency of 0"
    return f"other traffic takes all executions that {function} could have"


DRAINS_AFTER_HEALING = Invariant(
    name=NAME,
    title="drains after healing",
    statement="Once the faults are over, every message is processed, dead-lettered or expired within the time that the "
    "design needs for that at the most, and none goes round in circles.",
    applies="To designs with a mapping; excused are disabled mappings, functions without any execution, functions that "
    "fail on a message for which there is no redrive policy, what an operator changed, and runs that end too soon.",
    unit="messages",
    default=True,
    judge=judge,
)

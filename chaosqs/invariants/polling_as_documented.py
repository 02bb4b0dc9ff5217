"""Pollers do as AWS documents: one that is free receives what is due, and their number stays within their era's law.

A long poll that waits gets a message as soon as there is one (RX-5), so no message waits beside a free poller. A
mapping has at most as many pollers as its era, its maximum concurrency or its provisioned mode allows (ES-3, MC-1,
PM-1), and goes back to its first pollers, or fewer, when nothing comes (ES-5).

A violation is a bug of the simulator. A run is judged until the first fault or action of an operator has an effect:
faults hold pollers back. Runs of real code are not judged: it changes visibility timeouts, which no event records.
"""

from math import inf
from typing import Self

import attrs

from chaosqs.invariants.verdicts import Invariant, judged, message_text, not_applicable
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.events import (
    DeadLettered,
    Deleted,
    Event,
    Expired,
    InvocationEnded,
    InvocationStarted,
    Operated,
    PollersChanged,
    Received,
    Released,
    Returned,
    Sent,
    Throttled,
)
from chaosqs.model.history import History
from chaosqs.model.time import clock_text, milliseconds
from chaosqs.model.verdict import Verdict, Violation

NAME = "polling-as-documented"
_BUG = "This is a bug of chaosqs, not of the design."
_SLACK = 1_000  # milliseconds that a message may wait beside a free poller: latencies of calls
_UNTIL_FREE = 10_000  # milliseconds after an invocation in which its poller surely deletes its batch
_ERAS = {"2018-06": (5, 1000, 5), "2023-11": (5, 1250, 5), "2025-11": (5, 1250, 2)}
"""First pollers, ceiling and minimum of each era (ES-1, ES-3, ES-5)."""
_PER_PROVISIONED = 10  # PM-1


def judge(history: History) -> Verdict:
    """Blame each message that waits beside a free poller, and each number of pollers outside the law."""
    scenario = history.scenario
    design = scenario.design
    if not any(mapping.enabled for mapping in design.mappings):
        return not_applicable(NAME, "the design has no mapping that polls")
    if scenario.faults.pauses:
        return judged(NAME, (), 0, "the fault plan pauses tasks, which no event records")
    if history.deployed or any(behaviour.handler is not None for behaviour in scenario.behaviours.values()):
        return judged(NAME, (), 0, "real code may change visibility timeouts")
    watch, operated = _Watch.of(history), [index for index, _ in history.each(Operated)]
    end = min([*history.faulted[:1], *operated[:1]], default=None)
    for index, event in enumerate(history.events[:end]):
        watch.follow(index, event)
    if end is None:
        watch.close(history.ended_at_ms)
    return judged(NAME, watch.violations, watch.exercised, "no poller could receive a message")


@attrs.define
class _Fleet:
    """The pollers of one mapping; times in milliseconds."""

    mapping: EventSourceMapping
    first: int
    most: int
    least: int
    pollers: int = 0
    changed: int | None = None
    """Index of the latest change of their number."""
    busy: dict[int, None] = attrs.field(factory=dict[int, None])
    """Pollers that carry or gather a batch."""
    free_since: float = inf
    """Time since which one of them surely waits for messages; infinity: none does."""
    idle_since: int = 0
    """Time since which none of them has had a message."""
    troubled: bool = False
    """True once a batch failed or was throttled: pollers that are let go then leave no event (ES-7, ES-8)."""

    @classmethod
    def of(cls, design: Design, mapping: EventSourceMapping) -> Self:
        """Return the law for a mapping."""
        first, most, least = _ERAS[design.era]
        if mapping.provisioned_pollers is not None:
            least, most = (pollers * _PER_PROVISIONED for pollers in mapping.provisioned_pollers)
            first = least
        elif mapping.maximum_concurrency is not None:
            first, most = min(first, mapping.maximum_concurrency), min(most, mapping.maximum_concurrency)
            least = first
        return cls(mapping, first, most, least)

    def settle(self, at: int) -> None:
        """Note since when a poller is free: with trouble, one is only if none is busy."""
        free = len(self.busy) < (min(self.pollers, 1) if self.troubled else self.pollers)
        self.free_since = min(self.free_since, at) if free else inf

    def released(self, poller: int, at: int) -> None:
        """Take the batch of a poller that is surely free from a time on."""
        self.busy.pop(poller, None)
        if not self.busy:
            self.idle_since = at
        self.settle(at)


@attrs.define
class _Watch:
    """The pollers and the due messages of a run, updated event by event."""

    history: History
    fleets: dict[str, _Fleet]
    by_queue: dict[str, list[_Fleet]]
    delays: dict[str, int]
    """Delay of each queue, in milliseconds."""
    due: dict[int, tuple[str, int, int]] = attrs.field(factory=dict[int, tuple[str, int, int]])
    """For each message that waits in a polled queue: the queue, the time at which it is due, the event's index."""
    invocations: dict[int, int] = attrs.field(factory=dict[int, int])
    """Poller of each running invocation."""
    exercised: int = 0
    violations: list[Violation] = attrs.field(factory=list[Violation])

    @classmethod
    def of(cls, history: History) -> Self:
        """Watch a run. On FIFO queues and behind filters messages may wait beside a free poller (FF-13, FL-2)."""
        design = history.scenario.design
        fleets = {mapping.name: _Fleet.of(design, mapping) for mapping in design.mappings if mapping.enabled}
        by_queue: dict[str, list[_Fleet]] = {}
        for fleet in fleets.values():
            if not fleet.mapping.filters and not design.queue(fleet.mapping.queue).fifo:
                by_queue.setdefault(fleet.mapping.queue, []).append(fleet)
        return cls(history, fleets, by_queue, {queue.name: milliseconds(queue.delay) for queue in design.queues})

    def follow(self, index: int, event: Event) -> None:
        match event:
            case Received():
                self._received(index, event)
            case Sent() | Returned():
                delay = self.delays.get(event.queue, 0) if isinstance(event, Sent) else 0
                self._came(index, event.queue, event.message, event.at + delay)
            case DeadLettered():
                self._left(index, event.message, event.at)
                self._came(index, event.target, event.message, event.at + self.delays.get(event.target, 0))
            case Deleted():
                for message in event.messages:
                    if message not in event.stayed:
                        self.due.pop(message, None)
            case Expired():
                self._left(index, event.message, event.at)
            case _:
                self._work(index, event)

    def _work(self, index: int, event: Event) -> None:
        """Apply an event of a mapping's pollers."""
        match event:
            case InvocationStarted():
                self.invocations[event.invocation] = event.poller
            case Throttled():
                self._trouble(event.mapping, event.at)
            case InvocationEnded() if event.mapping in self.fleets:
                poller = self.invocations.pop(event.invocation, None)
                if event.outcome == "succeeded" and poller is not None:
                    self.fleets[event.mapping].released(poller, event.at + _UNTIL_FREE)
                else:
                    self._trouble(event.mapping, event.at)
            case Released() if event.mapping in self.fleets:
                self.fleets[event.mapping].released(event.poller, event.at)
            case PollersChanged() if event.mapping in self.fleets:
                self._changed(index, event)
            case _:
                pass

    def close(self, ended: int) -> None:
        """Judge what waits, and how many pollers there are, when the run ends."""
        for message in list(self.due):
            self._left(None, message, ended)
        for fleet in self.fleets.values():
            self._check_number(fleet, ended)

    # Messages

    def _came(self, index: int, queue: str, message: int, due: int) -> None:
        if queue in self.by_queue:
            self.due[message] = queue, due, index

    def _received(self, index: int, event: Received) -> None:
        for message in event.messages:
            self._left(index, message, event.at)
        fleet = self.fleets.get(event.mapping)
        if fleet is not None:
            self._check_number(fleet, event.at)
            fleet.busy[event.poller] = None
            fleet.settle(event.at)

    def _left(self, index: int | None, message: int, at: int) -> None:
        """Judge how long a message waited that leaves the visible ones."""
        found = self.due.pop(message, None)
        if found is None:
            return
        self.exercised += 1
        queue, due, came = found
        for fleet in self.by_queue[queue]:
            since = max(due, fleet.free_since)
            if at - since > _SLACK:
                waited = f"waited in {queue} from {clock_text(int(since))} to {clock_text(at)}"
                text = f"{message_text(message)} {waited} although a poller of {fleet.mapping.name} was free. {_BUG}"
                indexes = (came,) if index is None else (came, index)
                self.violations.append(Violation(NAME, text, at, queue, (message,), indexes))
                return

    # Pollers

    def _trouble(self, mapping: str, at: int) -> None:
        if mapping in self.fleets:
            self.fleets[mapping].troubled = True
            self.fleets[mapping].settle(at)

    def _changed(self, index: int, event: PollersChanged) -> None:
        fleet = self.fleets[event.mapping]
        self._check_number(fleet, event.at)
        fleet.pollers, fleet.changed = event.pollers, index
        if event.pollers > fleet.most:
            self._wrong(fleet, event.at, f"has {event.pollers:,} pollers: at most {fleet.most:,} are allowed")
        fleet.settle(event.at)

    def _check_number(self, fleet: _Fleet, at: int) -> None:
        """Judge the number of pollers that a mapping had until a time."""
        if fleet.busy or fleet.troubled or fleet.changed is None:
            return
        assumed, idle = self.history.scenario.assumptions, at - fleet.idle_since
        for wait, most in ((assumed.long_poll, fleet.first), (assumed.idle_reduction, fleet.least)):
            if idle > wait + _SLACK and fleet.pollers > most:
                had = f"still had {fleet.pollers:,} pollers at {clock_text(at)}"
                why = f"although nothing had come since {clock_text(fleet.idle_since)}: {most:,} are due then"
                self._wrong(fleet, at, f"{had} {why}")
                return

    def _wrong(self, fleet: _Fleet, at: int, text: str) -> None:
        indexes = () if fleet.changed is None else (fleet.changed,)
        text = f"{fleet.mapping.name} {text}. {_BUG}"
        self.violations.append(Violation(NAME, text, at, fleet.mapping.queue, (), indexes))


POLLING_AS_DOCUMENTED = Invariant(
    name=NAME,
    title="polling as documented",
    statement="A poller that is free receives a message as soon as it is due, and the number of pollers stays within "
    "the limits of their era; anything else is a bug of chaosqs.",
    applies="To designs with a mapping that polls, in runs of models until the first fault; exercised when a message "
    "leaves the visible ones of a standard queue.",
    unit="waits of messages",
    default=True,
    judge=judge,
    internal=True,
)

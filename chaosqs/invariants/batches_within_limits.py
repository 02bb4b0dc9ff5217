"""No batch is larger than its mapping allows, nor held longer or shorter.

Count: `batch_size` (EC-1). Size: 6 MB, of which only the bodies are known exactly (EP-4, EP-8); one message alone is
always a batch. Time: a mapping without a batching window invokes as soon as a receive returns messages (EP-3), one with
a window when it closes (EP-4). A window opens when the poller's previous invocation has ended (EP-5), and with low
traffic the current long poll may add its 20 seconds (EP-6). Before it closes, only full batches are handed over.
"""

from math import exp

import attrs

from chaosqs.invariants.verdicts import Invariant, counted, judged, messages_text
from chaosqs.model import events
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import PAYLOAD_LIMIT
from chaosqs.model.history import History
from chaosqs.model.time import clock_text, milliseconds
from chaosqs.model.verdict import Verdict, Violation

NAME = "batches-within-limits"

_ROOM_BELOW = PAYLOAD_LIMIT - 2 * 1024 * 1024
"""Bytes of a batch below which it has room for any other message."""
_MOST_RECORD_BYTES = 2_048  # of a record besides its body
_LOW_TRAFFIC = 20_000  # milliseconds (EP-6)
_MOST_DEVIATIONS = 6  # standard deviations that a latency does not exceed

_Attempt = events.InvocationStarted | events.Throttled | events.ServiceFailed


def judge(history: History) -> Verdict:
    """Blame each batch that is too large, or that was held for too long before its first invocation."""
    pollers = _Pollers(
        history,
        _slack(history.scenario.assumptions),
        _at_most(history.scenario.assumptions.delete_latency, history.scenario.assumptions),
        {mapping.name: mapping.batch_size for mapping in history.scenario.design.mappings},
        {mapping.name: mapping.maximum_batching_window for mapping in history.scenario.design.mappings},
    )
    for index, event in enumerate(history.events):
        pollers.follow(index, event)
    return judged(NAME, pollers.violations, pollers.exercised, "no batch was handed over", pollers.excused)


def _slack(assumed: Assumptions) -> int:
    """Return the maximum milliseconds that the calls of a poller take between a receive and an invocation."""
    return _at_most(2 * assumed.receive_latency + assumed.invoke_latency, assumed)


def _at_most(latency: int, assumed: Assumptions) -> int:
    """Return the maximum of a latency with this median, in milliseconds."""
    return round(latency * exp(_MOST_DEVIATIONS * assumed.latency_spread / 100))


def _opened(received: int, free_at: int, late: int) -> int:
    """Return the earliest time at which the window of a batch opened.

    That is when the poller was free, if the first message came less than `late` ms later; else when it came.
    """
    return free_at if free_at <= received < free_at + late else received


@attrs.define
class _Poller:
    """The messages that one poller holds, and the times of its batches in milliseconds."""

    received: dict[int, int] = attrs.field(factory=dict[int, int])
    """Time of the receive of each message that no invocation was tried with yet."""
    free_at: int = 0
    """Time at which the previous batch was done."""
    fault: str = ""
    """The fault that slowed the poller down; empty: none."""


@attrs.define
class _Pollers:
    """The messages that all pollers hold, updated event by event."""

    history: History
    slack: int
    unseen: int
    """Maximum milliseconds from the last event of a batch until its poller is free, if there is nothing to delete."""
    sizes: dict[str, int]
    """The largest batch size that each mapping had."""
    windows: dict[str, int]
    """The longest batching window that each mapping had, in seconds."""
    changed: set[str] = attrs.field(factory=set[str])
    """The mappings that an operator has changed."""
    pollers: dict[tuple[str, int], _Poller] = attrs.field(factory=dict[tuple[str, int], _Poller])
    exercised: int = 0
    violations: list[Violation] = attrs.field(factory=list[Violation])
    excused: list[str] = attrs.field(factory=list[str])

    def follow(self, index: int, event: events.Event) -> None:
        match event:
            case events.Received(mapping=mapping) if mapping and not event.lost:
                self._received(event)
            case events.InvocationStarted() | events.Throttled() | events.ServiceFailed():
                self._tried(index, event)
            case events.InvocationEnded() | events.Deleted():
                self._done(event)
            case events.Released():
                poller = self._poller(event.mapping, event.poller)
                poller.free_at = event.at
                self._forget(poller, event.messages)
            case events.FilteredOut():
                self._forget(self._poller(event.mapping, event.poller), event.messages)
            case events.Held():
                self._poller(event.mapping, event.poller).fault = event.fault
            case events.Operated():
                self._changed(event)
            case _:
                pass

    def _poller(self, mapping: str, poller: int) -> _Poller:
        key = mapping, poller
        if key not in self.pollers:
            self.pollers[key] = _Poller()
        return self.pollers[key]

    def _received(self, event: events.Received) -> None:
        poller = self._poller(event.mapping, event.poller)
        poller.fault = event.fault or poller.fault
        for message in event.messages:
            poller.received.setdefault(message, event.at)

    def _forget(self, poller: _Poller, messages: tuple[int, ...]) -> None:
        for message in messages:
            poller.received.pop(message, None)

    def _done(self, event: events.InvocationEnded | events.Deleted) -> None:
        """Note when the poller is free again; deletes by clients and by filters do not count."""
        start: events.Event | None = event
        while isinstance(start, events.InvocationEnded | events.Deleted):
            start = None if start.cause is None else self.history.events[start.cause]
        if isinstance(start, events.InvocationStarted):
            poller = self._poller(start.mapping, start.poller)
            poller.free_at, poller.fault = event.at, event.fault or poller.fault

    def _changed(self, event: events.Operated) -> None:
        self.changed.add(event.target)
        for setting, limits in (("batch_size", self.sizes), ("maximum_batching_window", self.windows)):
            if event.setting == setting and event.target in limits and event.value.isdigit():
                limits[event.target] = max(limits[event.target], int(event.value))

    def _tried(self, index: int, event: _Attempt) -> None:
        """Check a batch when its poller first invokes the function with it."""
        poller = self._poller(event.mapping, event.poller)
        moments = [poller.received.pop(message) for message in event.messages if message in poller.received]
        if not moments:
            return
        self.exercised += 1
        self._check_size(index, event)
        began = max(min(moments), poller.free_at)
        window = milliseconds(self.windows.get(event.mapping, 0))
        if event.at - began > window + (_LOW_TRAFFIC if window else 0) + self.slack:
            held = f"{event.mapping} held {messages_text(event.messages)} for {clock_text(event.at - began)}"
            text = f"{held} before it invoked {event.function}: its maximum_batching_window is {clock_text(window)}"
            fault = poller.fault or ("a pause" if self.history.scenario.faults.pauses else "")
            if fault:
                self.excused.append(f"{text}; but that was a fault: {fault}")
            else:
                self._blame(index, event, f"{text}.")
        elif event.at < _opened(min(moments), poller.free_at, window + self.unseen) + window and self._has_room(event):
            early = f"{event.mapping} handed {messages_text(event.messages)} to {event.function}"
            why = f"before its window of {clock_text(window)} closed, although the batch had room"
            self._blame(index, event, f"{early} {why}.")
        poller.fault = ""

    def _has_room(self, event: _Attempt) -> bool:
        """Return True if any other message would have fitted into a batch; False if an operator changed its mapping."""
        size = self.sizes.get(event.mapping, 0)
        return len(event.messages) < size and event.mapping not in self.changed and self._bytes(event) < _ROOM_BELOW

    def _bytes(self, event: _Attempt) -> int:
        sent = self.history.sent
        return sum([_MOST_RECORD_BYTES + sent[message].body_bytes for message in event.messages if message in sent])

    def _check_size(self, index: int, event: _Attempt) -> None:
        size, sent = self.sizes.get(event.mapping, len(event.messages)), self.history.sent
        if len(event.messages) > size:
            batch = counted(len(event.messages), "message")
            text = f"{event.mapping} handed {batch} to {event.function} at once: its batch_size is {size:,}."
            self._blame(index, event, text)
        bodies = sum([sent[message].body_bytes for message in event.messages if message in sent])
        if bodies > PAYLOAD_LIMIT and len(event.messages) > 1:
            batch = f"{counted(len(event.messages), 'message')} with {bodies:,} bytes of bodies"
            handed = f"{event.mapping} handed {batch} to {event.function} at once"
            text = f"{handed}: a payload has at most {PAYLOAD_LIMIT:,}."
            self._blame(index, event, text)

    def _blame(self, index: int, event: _Attempt, text: str) -> None:
        queue = event.mapping.partition("→")[0]
        self.violations.append(Violation(NAME, text, event.at, queue, event.messages, (index,)))


BATCHES_WITHIN_LIMITS = Invariant(
    name=NAME,
    title="batches within limits",
    statement="No batch has more messages than its mapping's batch size, more than 6 MB, is held longer than its "
    "batching window and 20 seconds of low traffic, or is handed over before that window closes while it has room.",
    applies="To every design; exercised when a batch is handed to a function for the first time.",
    unit="batches",
    default=True,
    judge=judge,
    internal=True,
)

"""No batch is larger than its mapping allows, nor held longer or shorter.

By count: `batch_size` (EC-1). By size: 6 MB, of which the bodies are the part that is known exactly (EP-4, EP-8); one
message alone is always a batch. By time: a mapping without a window invokes as soon as a receive brings something
(EP-3), one with a window when that closes (EP-4). A window opens when the poller's invocation before has ended (EP-5),
and with low traffic the long poll that is under way may add its 20 seconds (EP-6). Before it closes, only a batch that
is full is handed over.
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

_ROOM = PAYLOAD_LIMIT - 2 * 1024 * 1024
_RECORD = 2_048
"""Bytes that a record takes besides its body at the most; so what keeps below `_ROOM` has room for any message."""
_LOW_TRAFFIC = 20_000  # EP-6
_RARE = 6
"""Standard deviations that a latency does not exceed."""

_Attempt = events.InvocationStarted | events.Throttled | events.ServiceFailed


def judge(history: History) -> Verdict:
    """Blame each batch that is too large, or that was held for too long before its first invocation."""
    hands = _Hands(
        history,
        _slack(history.scenario.assumptions),
        _at_most(history.scenario.assumptions.delete_latency, history.scenario.assumptions),
        {mapping.name: mapping.batch_size for mapping in history.scenario.design.mappings},
        {mapping.name: mapping.maximum_batching_window for mapping in history.scenario.design.mappings},
    )
    for index, event in enumerate(history.events):
        hands.follow(index, event)
    return judged(NAME, hands.violations, hands.exercised, "no batch was handed over", hands.excused)


def _slack(assumed: Assumptions) -> int:
    """Return what the calls of a poller may take between a receive and an invocation."""
    return _at_most(2 * assumed.receive_latency + assumed.invoke_latency, assumed)


def _at_most(latency: int, assumed: Assumptions) -> int:
    """Return what may become of a latency that is so long in the median."""
    return round(latency * exp(_RARE * assumed.latency_spread / 100))


def _opened(received: int, free_at: int, late: int) -> int:
    """Return when the window of a batch opened at the earliest: with its first message, or before, when it was free.

    `late`: so long after the poller was free at the latest.
    """
    return free_at if free_at <= received < free_at + late else received


@attrs.define
class _Hand:
    """What one poller has in its hands."""

    received: dict[int, int] = attrs.field(factory=dict[int, int])
    """For each message that has not been tried yet, the moment of its receive."""
    free_at: int = 0
    """When the batch before was done."""
    fault: str = ""
    """What slowed the poller down."""


@attrs.define
class _Hands:
    """What all pollers have in their hands, event by event."""

    history: History
    slack: int
    unseen: int
    """How much later than the last event of a batch its poller may be free: where there is nothing to delete."""
    sizes: dict[str, int]
    """The batch size of each mapping, the largest that it had."""
    windows: dict[str, int]
    """The batching window of each mapping, in seconds, the longest that it had."""
    changed: set[str] = attrs.field(factory=set[str])
    """The mappings that an operator has changed."""
    hands: dict[tuple[str, int], _Hand] = attrs.field(factory=dict[tuple[str, int], _Hand])
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
                hand = self._hand(event.mapping, event.poller)
                hand.free_at = event.at
                self._forget(hand, event.messages)
            case events.FilteredOut():
                self._forget(self._hand(event.mapping, event.poller), event.messages)
            case events.Held():
                self._hand(event.mapping, event.poller).fault = event.fault
            case events.Operated():
                self._changed(event)
            case _:
                pass

    def _hand(self, mapping: str, poller: int) -> _Hand:
        key = mapping, poller
        if key not in self.hands:
            self.hands[key] = _Hand()
        return self.hands[key]

    def _received(self, event: events.Received) -> None:
        hand = self._hand(event.mapping, event.poller)
        hand.fault = event.fault or hand.fault
        for message in event.messages:
            hand.received.setdefault(message, event.at)

    def _forget(self, hand: _Hand, messages: tuple[int, ...]) -> None:
        for message in messages:
            hand.received.pop(message, None)

    def _done(self, event: events.InvocationEnded | events.Deleted) -> None:
        """Note when the poller is free again; a delete by hand, or by a filter, says nothing about that."""
        start: events.Event | None = event
        while isinstance(start, events.InvocationEnded | events.Deleted):
            start = None if start.cause is None else self.history.events[start.cause]
        if isinstance(start, events.InvocationStarted):
            hand = self._hand(start.mapping, start.poller)
            hand.free_at, hand.fault = event.at, event.fault or hand.fault

    def _changed(self, event: events.Operated) -> None:
        self.changed.add(event.target)
        for setting, limits in (("batch_size", self.sizes), ("maximum_batching_window", self.windows)):
            if event.setting == setting and event.target in limits and event.value.isdigit():
                limits[event.target] = max(limits[event.target], int(event.value))

    def _tried(self, index: int, event: _Attempt) -> None:
        """Check a batch when its poller first invokes the function with it."""
        hand = self._hand(event.mapping, event.poller)
        moments = [hand.received.pop(message) for message in event.messages if message in hand.received]
        if not moments:
            return
        self.exercised += 1
        self._check_size(index, event)
        began = max(min(moments), hand.free_at)
        window = milliseconds(self.windows.get(event.mapping, 0))
        if event.at - began > window + (_LOW_TRAFFIC if window else 0) + self.slack:
            held = f"{event.mapping} held {messages_text(event.messages)} for {clock_text(event.at - began)}"
            text = f"{held} before it invoked {event.function}: its maximum_batching_window is {clock_text(window)}"
            fault = hand.fault or ("a pause" if self.history.scenario.faults.pauses else "")
            if fault:
                self.excused.append(f"{text}; but that was a fault: {fault}")
            else:
                self._blame(index, event, f"{text}.")
        elif event.at < _opened(min(moments), hand.free_at, window + self.unseen) + window and self._has_room(event):
            early = f"{event.mapping} handed {messages_text(event.messages)} to {event.function}"
            why = f"before its window of {clock_text(window)} closed, although the batch had room"
            self._blame(index, event, f"{early} {why}.")
        hand.fault = ""

    def _has_room(self, event: _Attempt) -> bool:
        """Tell whether another message would surely have gone into a batch; unless an operator changed its mapping."""
        size = self.sizes.get(event.mapping, 0)
        return len(event.messages) < size and event.mapping not in self.changed and self._bytes(event) < _ROOM

    def _bytes(self, event: _Attempt) -> int:
        sent = self.history.sent
        return sum([_RECORD + sent[message].body_bytes for message in event.messages if message in sent])

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

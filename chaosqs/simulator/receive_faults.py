"""What the fault plan makes of a poller's receives: before they are answered (poll), and of the answer (receive)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import attrs

from chaosqs.machine.chance import Chance
from chaosqs.machine.message import Message, Receipt
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.event import Event, Held, ReceiveFailed
from chaosqs.simulator.agenda import Agenda
from chaosqs.simulator.crew import Poller
from chaosqs.simulator.latency import Latency
from chaosqs.simulator.nemesis import Nemesis, Strike
from chaosqs.simulator.service import Line, Service

_SLOW = 5_000
"""Milliseconds that the answer to a `slow_receive` takes."""
_BRINGS_NOTHING = ("failed_receive", "empty_receive", "quota_full")


@attrs.define(eq=False)
class ReceiveFaults:
    """The faults of one mapping's receives."""

    mapping: EventSourceMapping
    agenda: Agenda
    nemesis: Nemesis
    record: Callable[[Event], int]
    service: Service
    assumptions: Assumptions
    latency: Latency
    _scopes: tuple[str, ...] = attrs.field(init=False)
    _shown_twice: dict[int, int] = attrs.field(factory=dict[int, int])
    """Up to when a window's `duplicate` leaves a message alone: the visibility of the delivery that it doubled."""

    def __attrs_post_init__(self) -> None:
        """Name what the receives are about."""
        self._scopes = (self.mapping.queue, self.mapping.function, self.mapping.name)

    @property
    def line(self) -> Line:
        """The queue that is polled."""
        return self.service.lines[self.mapping.queue]

    # Before a receive is answered

    def poll(self, wanted: int) -> Strike | None:
        """Return what strikes a receive of up to `wanted` messages, if it changes anything: where none wait, nothing.

        The message that is first in line decides, by the receive that this one would be for it.
        """
        machine = self.line.machine
        first = machine.head() if machine.receivable else None
        if first is None:
            return None
        strike = self.nemesis.poll(self._scopes, first.number, first.receive_count + 1, self.agenda.now)
        if strike is None or strike.kind in _BRINGS_NOTHING:
            return strike
        if strike.kind == "out_of_order":
            return strike if machine.visible > 1 and not self.line.queue.fifo else None
        return strike if min(machine.visible, wanted) > 1 else None

    def fail(self, poller: Poller, strike: Strike) -> int | None:
        """Record a receive that brings nothing; return when the poller receives again. None: it brings something."""
        if strike.kind not in _BRINGS_NOTHING:
            return None
        now, mapping = self.agenda.now, self.mapping
        self.record(ReceiveFailed(now, None, mapping.queue, mapping.name, poller.number, strike.name))
        if strike.kind == "quota_full" and strike.until is not None:
            return strike.until
        if strike.kind == "empty_receive":
            return (
                now + self.latency.receive(poller)
                if strike.until is None
                else min(now + self.assumptions.receive_retry, strike.until)
            )
        return now + self.assumptions.receive_retry

    def receive(self, strike: Strike, wanted: int) -> list[Receipt]:
        """Receive one message where the receive is short; the newest ones, newest first, where it is out of order."""
        line = self.line
        if strike.kind == "short_receive":
            return self.service.take(line, 1)
        most = self.service.wanted(line, wanted)
        receipts = self.service.take(line, most, chance=Chance(skip=line.machine.visible - most))
        return receipts[::-1]

    def blind(self) -> bool:
        """Tell whether a window is open in which no receive brings anything: then nobody sees that messages wait."""
        open_now = self.nemesis.window("poll", self._scopes, self.agenda.now)
        return open_now is not None and open_now.kind in _BRINGS_NOTHING

    # The answer

    def answer(self, receipts: Sequence[Receipt]) -> Strike | None:
        """Return what strikes the answer to a receive."""
        batch = ((receipt.message.number, receipt.message.receive_count) for receipt in receipts)
        strike = self.nemesis.strike("receive", self._scopes, batch, self.agenda.now)
        return (
            None if strike is not None and strike.kind == "duplicate" and not self._twice(strike, receipts) else strike
        )

    def hold(self, poller: Poller, receipts: Sequence[Receipt], place: int, strike: Strike) -> int:
        """Record that an answer is slow; return when it comes."""
        until = self.agenda.now + _SLOW
        messages = tuple(receipt.message.number for receipt in receipts)
        self.record(Held(self.agenda.now, place, self.mapping.name, poller.number, messages, until, strike.name))
        return until

    def duplicate(self, receipts: Sequence[Receipt], strike: Strike) -> None:
        """Show the messages of a receive again at once, which a replica missed (OR-4)."""
        messages = self._twice(strike, receipts)
        for message in messages:
            self._shown_twice[message.number] = message.visible_at
        self.agenda.at(self.agenda.now, partial(self._show, messages, strike.name))

    def _show(self, messages: Sequence[Message], fault: str) -> None:
        self.service.reappear(self.line, *(message for message in messages if message.stored), fault=fault)

    def _twice(self, strike: Strike, receipts: Sequence[Receipt]) -> list[Message]:
        """Return the messages that will be in flight twice; a window does not add a third delivery to the two.

        Else all pollers that wait would get them at one moment, one after another.
        """
        if self.line.queue.fifo:
            return []
        now, messages = self.agenda.now, [receipt.message for receipt in receipts]
        if strike.until is None:
            return messages
        return [message for message in messages if self._shown_twice.get(message.number, 0) <= now]

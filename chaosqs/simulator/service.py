"""SQS in process: the queues of a design, producers' sends, waiting receives, timers, and what the record says of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

import attrs

from chaosqs.machine.standard_queue import Message, Receipt, StandardQueue
from chaosqs.model.design import Queue
from chaosqs.model.event import DeadLettered, Event, Expired, Returned, Sent
from chaosqs.model.workload import Arrival
from chaosqs.simulator.agenda import Agenda
from chaosqs.simulator.luck import Luck, site

_PARTIAL, _SHARE = site("partial receive"), site("share of a partial receive")


@attrs.define(eq=False)
class Service:
    """All queues of one run."""

    agenda: Agenda
    luck: Luck
    record: Callable[[Event], int]
    partial_receives: int
    """Assumed: share of the receives, in per cent, that return less than they could."""
    lines: dict[str, Line] = attrs.field(factory=dict[str, "Line"])

    def open(self, queue: Queue) -> None:
        """Add a queue."""
        self.lines[queue.name] = Line(queue, StandardQueue(queue), site(queue.name))

    def send(self, arrivals: Sequence[tuple[int, Arrival]]) -> None:
        """Accept messages that are sent at one moment; only then do waiting receives get their turn."""
        now = self.agenda.now
        for number, arrival in arrivals:
            place = self.record(Sent(now, None, arrival.queue, number, arrival.body_bytes, arrival.group))
            message = Message(number, arrival.body_bytes, sent_at=now, last_event=place)
            self._accept(self.lines[arrival.queue], message)
        for name in dict.fromkeys(arrival.queue for _, arrival in arrivals):
            self.serve(self.lines[name])

    def receive(self, name: str, maximum: int) -> list[Receipt]:
        """Return up to `maximum` messages; what is over max_receive_count moves to the dead-letter queue instead."""
        line, now = self.lines[name], self.agenda.now
        line.receives += 1
        received, moved = line.machine.receive(self._wanted(line, maximum), now=now)
        for message in moved:
            self._dead_letter(line, message)
        if received:
            self._wake_at(line, now + line.queue.visibility_timeout * 1000)
        return received

    def _wanted(self, line: Line, maximum: int) -> int:
        """Return how many messages a receive may return: all it could where all is calm, else sometimes fewer (RX-2)."""
        most = min(maximum, line.machine.visible)
        if most <= 1 or not self.luck.seed:
            return most
        if self.luck.fraction(_PARTIAL, line.site, line.receives) * 100 >= self.partial_receives:
            return most
        return 1 + int(self.luck.fraction(_SHARE, line.site, line.receives) * most)

    def delete(self, name: str, receipts: Sequence[Receipt]) -> list[int]:
        """Delete messages; return the numbers of those that stay because they were received again (RH-4)."""
        machine = self.lines[name].machine
        return [receipt.message.number for receipt in receipts if not machine.delete(receipt)]

    def serve(self, line: Line) -> None:
        """Give visible messages to those who wait for one, first come first served (RX-5)."""
        while line.machine.visible and line.waiting:
            line.waiting.popleft()()
        if line.machine.visible:
            for notice in line.on_backlog:
                notice()

    def _accept(self, line: Line, message: Message) -> None:
        line.machine.accept(message, now=self.agenda.now)
        if line.queue.delay:
            self._wake_at(line, self.agenda.now + line.queue.delay * 1000)
        self._watch_retention(line)

    def _wake_at(self, line: Line, due: int) -> None:
        if line.last_wake != due:
            line.last_wake = due
            self.agenda.at(due, partial(self._settle, line))

    def _settle(self, line: Line) -> None:
        for message in line.machine.settle(now=self.agenda.now):
            if message.receipt:
                event = Returned(self.agenda.now, message.last_event, line.queue.name, message.number, message.receive_count)
                message.last_event = self.record(event)
        self.serve(line)

    def _dead_letter(self, line: Line, message: Message) -> None:
        redrive = line.queue.redrive
        self.agenda.may_be_over = True
        assert redrive is not None
        target = self.lines[redrive.dead_letter_queue]
        event = DeadLettered(
            self.agenda.now, message.last_event, line.queue.name, target.queue.name, message.number, message.receive_count
        )
        place = self.record(event)
        moved = Message(message.number, message.body_bytes, message.sent_at, message.receive_count, last_event=place)
        self._accept(target, moved)
        if target.waiting:
            self.agenda.at(self.agenda.now, partial(self.serve, target))

    def _watch_retention(self, line: Line) -> None:
        due = line.machine.next_expiry()
        if due is not None and (line.next_expiry is None or due < line.next_expiry):
            line.next_expiry = due
            self.agenda.at(due, partial(self._expire, line))

    def _expire(self, line: Line) -> None:
        for message in line.machine.expire(now=self.agenda.now):
            self.record(Expired(self.agenda.now, message.last_event, line.queue.name, message.number, message.receive_count))
        line.next_expiry = None
        self.agenda.may_be_over = True
        self._watch_retention(line)


@attrs.define(eq=False)
class Line:
    """One queue with those who wait at it."""

    queue: Queue
    machine: StandardQueue
    site: int
    """Its site of chance."""
    waiting: deque[Callable[[], None]] = attrs.field(factory=deque[Callable[[], None]])
    """Long polls that have found nothing yet, in the order in which they began."""
    on_backlog: list[Callable[[], None]] = attrs.field(factory=list[Callable[[], None]])
    """Called when messages are visible and nobody waits for them."""
    receives: int = 0
    last_wake: int = -1
    next_expiry: int | None = None

"""SQS in process: the queues of a design, sends, waiting receives, timers, and what the record says of them.

Pollers and clients (the operations) come through the same methods, so a message is the same thing to both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from threading import RLock

import attrs

from chaosqs.kernel.event_queue import Agenda
from chaosqs.kernel.rng import Luck, site
from chaosqs.model.design import Queue
from chaosqs.model.event import DeadLettered, Deleted, Event, Expired, Returned, Sent
from chaosqs.model.workload import Arrival
from chaosqs.sqs.machines.fifo_queue import FifoQueue
from chaosqs.sqs.machines.message import Message, Receipt, dead_lettered
from chaosqs.sqs.machines.queue_machine import CALM, Chance, Outcome, QueueMachine
from chaosqs.sqs.machines.standard_queue import StandardQueue

# Locks for clients in threads: callers take turns, so nothing they do is lost. ---------------------------------------
#
# The simulator knows no threads otherwise, and the order in which threads get their turn is the one thing in it that
# a run cannot repeat.

Turn = AbstractContextManager[object]


def turns() -> Turn:
    """Return a lock that its holder may take again."""
    return RLock()


# One queue with those who wait at it. --------------------------------------------------------------------------------


@attrs.define(eq=False)
class Line:
    """One queue with those who wait at it."""

    queue: Queue
    machine: QueueMachine
    site: int
    """Its site of chance."""
    waiting: deque[Callable[[], None]] = attrs.field(factory=deque[Callable[[], None]])
    """Long polls that have found nothing yet, in the order in which they began."""
    on_backlog: list[Callable[[], None]] = attrs.field(factory=list[Callable[[], None]])
    """Called when messages are visible and nobody waits for them."""
    receives: int = 0
    last_wake: int = -1
    next_expiry: int | None = None

    @classmethod
    def of(cls, queue: Queue) -> Line:
        """Return an empty queue."""
        return cls(queue, FifoQueue(queue) if queue.fifo else StandardQueue(queue), site(queue.name))


# ---------------------------------------------------------------------------------------------------------------------


_EXPIRED = Outcome.EXPIRED
_STAYED = (Outcome.STAYED, _EXPIRED)
_PARTIAL, _SHARE = site("partial receive"), site("share of a partial receive")


@attrs.define(eq=False)
class Numbers:
    """Gives messages their numbers: those of the workload come first, clients' messages go on from there."""

    next_free: int = 0

    def take(self) -> int:
        """Return a number that no message has."""
        number = self.next_free
        self.next_free += 1
        return number


@attrs.define(eq=False)
class Service:
    """All queues of one account in one Region."""

    agenda: Agenda
    luck: Luck
    record: Callable[[Event], int]
    partial_receives: int
    """Assumed: share of the receives, in per cent, that return less than they could."""
    lines: dict[str, Line] = attrs.field(factory=dict[str, Line])
    numbers: Numbers = attrs.field(factory=Numbers)
    to_come: int = 0
    """Messages that will come, or come back, by a fault: a run waits for them."""

    def open(self, queue: Queue) -> Line:
        """Add a queue."""
        line = self.lines[queue.name] = Line.of(queue)
        return line

    # Sending

    def send(self, arrivals: Sequence[tuple[int, Arrival]]) -> None:
        """Accept messages that are sent at one moment; only then do waiting receives get their turn."""
        now = self.agenda.now
        for number, arrival in arrivals:
            message = Message(number, arrival.body_bytes, now, group=arrival.group)
            self.put(self.lines[arrival.queue], message)
        for name in dict.fromkeys(arrival.queue for _, arrival in arrivals):
            self.serve(self.lines[name])

    def put(
        self, line: Line, message: Message, *, delay: int | None = None, cause: int | None = None, fault: str = ""
    ) -> None:
        """Accept one message that is sent now; `delay` in milliseconds overrides the queue's (DL-2).

        Call `serve` when all that are sent together are in.
        """
        now, name, number, size = self.agenda.now, line.queue.name, message.number, message.body_bytes
        own = "" if message.content is None else message.content.deduplication_id
        sent = Sent(now, cause, name, number, size, message.group, message.copy_of, fault, own)
        message.last_event = self.record(sent)
        self._accept(line, message, delay)

    # Receiving

    def receive(self, name: str, maximum: int) -> list[Receipt]:
        """Return up to `maximum` messages to a poller, with the queue's visibility timeout."""
        line = self.lines[name]
        return self.take(line, self.wanted(line, maximum))

    def take(
        self, line: Line, maximum: int, *, visibility_timeout: int | None = None, chance: Chance = CALM
    ) -> list[Receipt]:
        """Return up to `maximum` messages; what is over max_receive_count moves to the dead-letter queue instead."""
        now = self.agenda.now
        line.receives += 1
        received, moved = line.machine.receive(maximum, now=now, visibility_timeout=visibility_timeout, chance=chance)
        for message in moved:
            self._dead_letter(line, message)
        if received:
            self.wake_at(line, received[0].message.visible_at)
        return received

    def wanted(self, line: Line, maximum: int) -> int:
        """Return how many messages a receive may return: all where all is calm, else sometimes fewer (RX-2)."""
        most = min(maximum, line.machine.store.visible)
        if most <= 1 or not self.luck.seed:
            return most
        if self.luck.fraction(_PARTIAL, line.site, line.receives + 1) * 100 >= self.partial_receives:
            return most
        return 1 + int(self.luck.fraction(_SHARE, line.site, line.receives + 1) * most)

    # Afterwards

    def delete(self, name: str, receipts: Sequence[Receipt]) -> list[int]:
        """Delete messages; return the numbers of those that stay: received again (RH-4), or expired on FIFO (RH-5).

        A batch with two deliveries of one message has two receipts for it, of which one may delete it.
        """
        line = self.lines[name]
        stayed = [receipt.message for receipt in receipts if self.remove(line, receipt) in _STAYED]
        if line.queue.fifo and line.waiting:  # FF-16
            self.agenda.at(self.agenda.now, partial(self.serve, line))
        return [message.number for message in stayed if message.stored]

    def remove(self, line: Line, receipt: Receipt) -> Outcome:
        """Delete one message; on FIFO queues that may let a group go on, so call `serve` afterwards (FF-16)."""
        return line.machine.delete(receipt)

    def change_visibility(self, line: Line, receipt: Receipt, timeout: int) -> Outcome:
        """Hide a message for so many milliseconds from now on; 0: it comes back at once (VT-6, VT-10)."""
        message, was_visible = receipt.message, receipt.message.visible
        outcome = line.machine.change_visibility(receipt, timeout, now=self.agenda.now)
        if outcome is Outcome.DONE and timeout:
            self.wake_at(line, message.visible_at)
        elif outcome is Outcome.DONE and not was_visible:
            self._returned(line, message)
        return outcome

    def reappear(self, line: Line, *messages: Message, fault: str = "") -> bool:
        """Have a replica of a standard queue show messages again that are in flight, or deleted (OR-4, RH-10).

        Tell whether it shows any: on FIFO queues never, and none that is visible, or past its retention.
        """
        machine, now = line.machine, self.agenda.now
        if not isinstance(machine, StandardQueue):
            return False
        shown = [message for message in messages if machine.reappear(message, now=now)]
        for message in shown:
            self._returned(line, message, fault)
        self._watch_retention(line)
        self.serve(line)
        return bool(shown)

    def purge(self, line: Line, *, cause: int | None = None) -> None:
        """Remove all messages of a queue (PQ-1)."""
        gone = tuple(message.number for message in line.machine.purge())
        self.agenda.may_be_over = True
        if gone:
            self.record(Deleted(self.agenda.now, cause, line.queue.name, "", gone, (), "PurgeQueue"))

    def serve(self, line: Line) -> None:
        """Give visible messages to those who wait for one, first come first served (RX-5, RX-6)."""
        machine, waiting = line.machine, line.waiting
        while waiting and machine.receivable:
            waiting.popleft()()
        if line.on_backlog and machine.receivable:
            for notice in line.on_backlog:
                notice()

    def catch_up(self, line: Line) -> None:
        """Let happen what is due at this very moment, before a client's call."""
        now, store = self.agenda.now, line.machine.store
        if (due := store.next_due()) is not None and due <= now:
            self._settle(line)
        if (due := store.next_expiry()) is not None and due <= now:
            self._expire(line)

    def configure(self, line: Line, queue: Queue) -> None:
        """Change a queue's attributes (DL-3, RT-3)."""
        line.queue = queue
        line.machine.configure(queue, now=self.agenda.now)
        if (due := line.machine.store.next_due()) is not None:
            self.wake_at(line, due)
        line.next_expiry = None
        self._watch_retention(line)
        self.serve(line)

    # What time does

    def wake_at(self, line: Line, due: int) -> None:
        """Look at a queue again when a message of it becomes visible."""
        if line.last_wake != due:
            line.last_wake = due
            self.agenda.at(due, partial(self._settle, line))

    def _accept(self, line: Line, message: Message, delay: int | None = None) -> None:
        line.machine.accept(message, now=self.agenda.now, delay=delay)
        if not message.visible:
            self.wake_at(line, message.visible_at)
        if line.next_expiry is None or message.sent_at + line.machine.store.retention < line.next_expiry:
            self._watch_retention(line)

    def _settle(self, line: Line) -> None:
        for message in line.machine.settle(now=self.agenda.now):
            if message.receipt:
                self._returned(line, message)
        self.serve(line)

    def _returned(self, line: Line, message: Message, fault: str = "") -> None:
        now, name, count = self.agenda.now, line.queue.name, message.receive_count
        message.last_event = self.record(Returned(now, message.last_event, name, message.number, count, fault))

    def _dead_letter(self, line: Line, message: Message) -> None:
        redrive = line.queue.redrive
        self.agenda.may_be_over = True
        assert redrive is not None
        now, name, target = self.agenda.now, line.queue.name, self.lines[redrive.dead_letter_queue]
        place = self.record(
            DeadLettered(now, message.last_event, name, target.queue.name, message.number, message.receive_count)
        )
        self._accept(target, dead_lettered(message, name, fifo=target.queue.fifo, place=place, now=now))
        if target.waiting:
            self.agenda.at(now, partial(self.serve, target))

    def _watch_retention(self, line: Line) -> None:
        due = line.machine.next_expiry()
        if due is not None and (line.next_expiry is None or due < line.next_expiry):
            line.next_expiry = due
            self.agenda.at(max(due, self.agenda.now), partial(self._expire, line))

    def _expire(self, line: Line) -> None:
        now, name = self.agenda.now, line.queue.name
        for message in line.machine.expire(now=now):
            self.record(Expired(now, message.last_event, name, message.number, message.receive_count))
        line.next_expiry = None
        self.agenda.may_be_over = True
        self._watch_retention(line)
        self.serve(line)

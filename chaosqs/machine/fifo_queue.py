"""A FIFO queue: groups in order, one batch of a group in flight at a time, duplicates dropped. Time is an argument."""

from __future__ import annotations

import attrs

from chaosqs.machine.attempts import Attempts
from chaosqs.machine.chance import CALM, Chance
from chaosqs.machine.deduplication import Accepted, Memory
from chaosqs.machine.groups import WINDOW, Groups
from chaosqs.machine.message import Message, Receipt
from chaosqs.machine.outcome import Outcome
from chaosqs.machine.queue_machine import IN_FLIGHT_QUOTA, beyond_cap
from chaosqs.machine.store import Store
from chaosqs.model.design import Queue


@attrs.define(eq=False)
class FifoQueue:
    """The messages of one FIFO queue."""

    queue: Queue
    in_flight_quota: int = IN_FLIGHT_QUOTA
    window: int = WINDOW
    store: Store = attrs.field(init=False)
    groups: Groups = attrs.field(init=False)
    memory: Memory = attrs.field(factory=Memory)
    attempts: Attempts = attrs.field(factory=Attempts)

    def __attrs_post_init__(self) -> None:
        """Start empty."""
        self.store = Store(self.queue.retention_period * 1000)
        self.groups = Groups(self.window)

    @property
    def visible(self) -> int:
        """How many are not hidden, those that their group blocks included (FF-26)."""
        return self.store.visible

    @property
    def stored(self) -> int:
        """How many are in the queue, hidden ones included."""
        return self.store.stored

    @property
    def receivable(self) -> bool:
        """Whether some group can be served; over the quota of messages in flight none is (IF-4)."""
        return self.groups.ready > 0 and self.store.in_flight < self.in_flight_quota

    # Sending

    def duplicate(self, group: str, deduplication_id: str, *, now: int) -> Accepted | None:
        """Return the send of the last five minutes that this one repeats, or None (FF-5 … FF-7)."""
        return self.memory.find(self._key(group, deduplication_id), now=now)

    def remember(self, message: Message, deduplication_id: str, *, now: int) -> None:
        """Remember an accepted send, so that its repetitions are dropped."""
        accepted = Accepted(message.number, message.place)
        self.memory.note(self._key(message.group, deduplication_id), accepted, now=now)

    def _key(self, group: str, deduplication_id: str) -> tuple[str, str]:
        return (group if self.queue.deduplication_scope == "messageGroup" else "", deduplication_id)

    def accept(self, message: Message, *, now: int, delay: int | None = None) -> None:
        """Take a new or moved message in, behind the others of its group; only the queue can delay it (DL-4, FF-21)."""
        self.store.put(message, self.queue.delay * 1000 if delay is None else delay, now)
        self.groups.add(message)
        self.groups.refresh(self.groups.groups[message.group])

    # Receiving

    def receive(
        self, maximum: int, *, now: int, visibility_timeout: int | None = None, chance: Chance = CALM
    ) -> tuple[list[Receipt], list[Message]]:
        """Return up to `maximum` messages with new receipts, and those that were found to be over max_receive_count.

        As many as possible come from the first group that can be served, then from the others (FF-13). What is over
        leaves the group, and does not block it (DLQ-14). `chance` changes nothing: order is kept here.
        """
        del chance
        received: list[Receipt] = []
        moved: list[Message] = []
        until = now + (self.queue.visibility_timeout * 1000 if visibility_timeout is None else visibility_timeout)
        while (most := min(maximum - len(received), self.in_flight_quota - self.store.in_flight)) > 0:
            group = self.groups.next()
            if group is None:
                break
            for message in self.groups.takeable(group, most):
                if self._is_over(message):
                    self.store.forget(message)
                    self.groups.left(message)
                    moved.append(message)
                else:
                    group.in_flight += 1
                    received.append(Receipt(message, self.store.receive(message, until, now)))
            if group.name in self.groups.groups:
                self.groups.refresh(group)
        return received, moved

    def _is_over(self, message: Message) -> bool:
        redrive = self.queue.redrive
        return redrive is not None and message.deliveries >= redrive.max_receive_count  # DLQ-2, DLQ-3

    def repeat(self, attempt_id: str, *, now: int, visibility_timeout: int | None = None) -> list[Receipt]:
        """Return what the attempt of that id received, hidden anew from now on; empty: it is a new one (FF-20).

        Assumed: a repetition is no further receive, the counts stay.
        """
        receipts = self.attempts.find(attempt_id, now=now)
        until = now + (self.queue.visibility_timeout * 1000 if visibility_timeout is None else visibility_timeout)
        for receipt in receipts:
            self.store.hide(receipt.message, until)
        if receipts:
            self.attempts.extended(attempt_id)
        return list(receipts)

    # Afterwards

    def delete(self, receipt: Receipt) -> Outcome:
        """Delete by receipt; a receipt whose visibility is over, or that is not the latest, has expired (RH-5, FF-22).

        One whose visibility was extended has not (RH-6).
        Assumed: a second delete succeeds, as on standard queues (RH-7).
        """
        message = receipt.message
        if not message.stored:
            return Outcome.GONE
        if message.visible or message.receipt != receipt.number:
            return Outcome.EXPIRED
        self.store.forget(message)
        self.groups.left(message)
        return Outcome.DONE

    def change_visibility(self, receipt: Receipt, timeout: int, *, now: int) -> Outcome:
        """Hide a message for so many milliseconds from now on, 0: give it back to its group (VT-6, VT-10, FF-18).

        Assumed: an expired receipt changes nothing, as it deletes nothing (RH-5).
        """
        message = receipt.message
        if not message.stored:
            return Outcome.GONE
        if message.visible or message.receipt != receipt.number:
            return Outcome.EXPIRED
        if beyond_cap(message, timeout, now):
            return Outcome.BEYOND
        if timeout:
            self.store.hide(message, now + timeout)
        else:
            self.store.show(message)
            self.groups.came_back(message)
        return Outcome.DONE

    def settle(self, *, now: int) -> list[Message]:
        """Make visible what is due, and return it in the order of its moments (FF-17, DL-1)."""
        shown = self.store.settle(now)
        for message in shown:
            if message.receipt:
                self.groups.came_back(message)
            else:
                self.groups.refresh(self.groups.groups[message.group])
        return shown

    def expire(self, *, now: int) -> list[Message]:
        """Remove what is past its retention, in flight or not, and return it; its group goes on (RT-1, FF-19)."""
        gone = self.store.expired(now)
        for message in gone:
            self.groups.left(message)
        return gone

    def next_expiry(self) -> int | None:
        """When the next message's retention ends, or None."""
        return self.store.next_expiry()

    def take_out(self, message: Message) -> None:
        """Let a message go that moves elsewhere."""
        self.store.forget(message)
        self.groups.left(message)

    def head(self) -> Message | None:
        """Return the first message of the first group that can be served, or None."""
        group = self.groups.next()
        if group is None:
            return None
        self.groups.refresh(group)
        return group.first()

    def purge(self) -> list[Message]:
        """Let everything go, in flight or delayed, and the memory of deduplication too (PQ-1, PQ-3)."""
        self.memory.clear()
        self.groups = Groups(self.window)
        return self.store.clear()

    def configure(self, queue: Queue, *, now: int) -> None:
        """Change the queue's attributes: delay and retention hold for the messages in the queue too (DL-3, RT-3)."""
        before, self.queue = self.queue, queue
        if queue.retention_period != before.retention_period:
            self.store.keep_for(queue.retention_period * 1000)
        if queue.delay != before.delay:
            for message in list(self.store.messages.values()):
                if not message.visible and not message.receipt:
                    self._delay_anew(message, message.sent_at + queue.delay * 1000, now)

    def _delay_anew(self, message: Message, until: int, now: int) -> None:
        if until > now:
            self.store.hide(message, until)
        else:
            self.store.show(message)
            self.groups.refresh(self.groups.groups[message.group])

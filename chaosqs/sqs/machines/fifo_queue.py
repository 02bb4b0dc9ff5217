"""A FIFO queue: groups in order, one batch of a group in flight at a time, duplicates dropped. Time is an argument."""

from collections import deque
from collections.abc import Sequence
from heapq import heappop, heappush
from typing import TypeAlias

import attrs

from chaosqs.model.design import Queue
from chaosqs.model.time import MINUTE
from chaosqs.sqs.machines.message import Message, Receipt, message_id
from chaosqs.sqs.machines.queue_machine import CALM, IN_FLIGHT_QUOTA, Chance, Outcome, beyond_cap
from chaosqs.sqs.machines.store import Store

# Deduplication: accepted sends are remembered for five minutes, even if their messages are gone (FF-5) ----------------

INTERVAL = 5 * MINUTE
"""Milliseconds for which a deduplication id is remembered, from the accepted send on (FF-5)."""

Key: TypeAlias = tuple[str, str]


@attrs.frozen
class Accepted:
    """An accepted send. A repeated send is answered with its ids (Assumed: FF-6)."""

    message: int
    index: int
    """Position in the queue, from which the sequence number is made."""


@attrs.define(eq=False)
class Memory:
    """The accepted sends of the last five minutes."""

    _known: dict[Key, Accepted] = attrs.field(factory=dict[Key, Accepted])
    _endings: deque[tuple[int, Key]] = attrs.field(factory=deque[tuple[int, Key]])

    def find(self, key: Key, *, now: int) -> Accepted | None:
        """Return the accepted send with this key, or None."""
        while self._endings and self._endings[0][0] <= now:
            del self._known[self._endings.popleft()[1]]
        return self._known.get(key)

    def note(self, key: Key, accepted: Accepted, *, now: int) -> None:
        """Remember an accepted send whose key was not known."""
        self._known[key] = accepted
        self._endings.append((now + INTERVAL, key))

    def clear(self) -> None:
        """Forget everything, as a purge does (PQ-3)."""
        self._known.clear()
        self._endings.clear()


# ReceiveRequestAttemptId: a repeated receive gets the same messages and handles (FF-20) -------------------------------


@attrs.frozen(eq=False)
class Attempt:
    """One receive with an attempt id, and when the visibility timeout of each message ends."""

    made_at: int
    receipts: tuple[Receipt, ...]
    visible_at: tuple[int, ...]

    @property
    def untouched(self) -> bool:
        """True if all its messages are still in flight as it left them: none deleted, changed or returned."""
        return all(
            receipt.message.stored
            and not receipt.message.visible
            and receipt.message.receipt == receipt.number
            and receipt.message.visible_at == due
            for receipt, due in zip(self.receipts, self.visible_at, strict=True)
        )


@attrs.define(eq=False)
class Attempts:
    """The receives of the last five minutes that had an attempt id."""

    _known: dict[str, Attempt] = attrs.field(factory=dict[str, Attempt])
    _order: deque[tuple[int, str]] = attrs.field(factory=deque[tuple[int, str]])

    def find(self, attempt_id: str, *, now: int) -> tuple[Receipt, ...]:
        """Return the receipts of an attempt that can be repeated; empty if it cannot.

        Assumed: after a delete, a change or the end of the visibility of one message, the attempt is a new receive.
        """
        while self._order and self._order[0][0] <= now:
            _, known = self._order.popleft()
            if known in self._known and self._known[known].made_at + INTERVAL <= now:
                del self._known[known]
        attempt = self._known.get(attempt_id)
        return attempt.receipts if attempt is not None and attempt.untouched else ()

    def note(self, attempt_id: str, receipts: Sequence[Receipt], *, now: int) -> None:
        """Remember the receipts of an attempt."""
        ends = tuple(receipt.message.visible_at for receipt in receipts)
        self._known[attempt_id] = Attempt(now, tuple(receipts), ends)
        self._order.append((now + INTERVAL, attempt_id))

    def extended(self, attempt_id: str) -> None:
        """Remember the new ends of visibility after a repetition."""
        attempt = self._known[attempt_id]
        ends = tuple(receipt.message.visible_at for receipt in attempt.receipts)
        self._known[attempt_id] = Attempt(attempt.made_at, attempt.receipts, ends)


# Message groups: which can be served, and in which order --------------------------------------------------------------
#
# A group yields messages from its first remaining one up to the first hidden one (FF-13 … FF-18; Assumed: a delayed
# message blocks what follows it, FF-24). Groups that can be served are ordered by the index of their first remaining
# message. A group whose message came back by visibility goes behind all messages sent before (FF-25). A receive looks
# only at groups whose first message is among the first 120,000 of the queue (IF-5).
#
# So no group is in two batches (EQ-1), a batch may have several groups (EQ-2), and all of a failed batch wait (EQ-3).

WINDOW = 120_000
"""Messages from the head of the queue among which a receive looks for groups (IF-5)."""


@attrs.define(eq=False)
class Group:
    """One message group with messages in the queue."""

    name: str
    messages: deque[Message] = attrs.field(factory=deque[Message])
    """Messages in order of sending; those that are gone are dropped when they reach the head."""
    returned_at: int = 0
    """Index behind which the group waits since a message of it came back; 0: none did (FF-25)."""
    waits_at: int | None = None
    """Index by which the group is ordered among those that can be served; None if it cannot be served."""
    in_flight: int = 0

    def first(self) -> Message | None:
        """Return the first remaining message, or None."""
        messages = self.messages
        while messages and not messages[0].stored:
            messages.popleft()
        return messages[0] if messages else None


@attrs.define(eq=False)
class Groups:
    """All groups with messages in the queue."""

    window: int = WINDOW
    groups: dict[str, Group] = attrs.field(factory=dict[str, Group])
    ready: int = 0
    """Number of groups that can be served."""
    _waiting: list[tuple[int, Group]] = attrs.field(factory=list[tuple[int, Group]])
    _indexes: int = 0
    _seen_up_to: int = 0
    """Index of the last message within the window."""
    _seen: int = 0
    """Number of messages within the window."""
    _beyond: deque[Message] = attrs.field(factory=deque[Message])

    def add(self, message: Message) -> None:
        """Put a message at the end of its group. Call `refresh` when its visibility is set."""
        self._indexes += 1
        message.index = self._indexes
        self.groups.setdefault(message.group, Group(message.group)).messages.append(message)
        if self._seen < self.window and not self._beyond:
            self._seen += 1
            self._seen_up_to = message.index
        else:
            self._beyond.append(message)

    def left(self, message: Message) -> None:
        """Account for a message that has left the queue."""
        if message.index <= self._seen_up_to:
            self._seen -= 1
            self._look_further()
        group = self.groups.get(message.group)
        if group is None:
            return  # its last messages left together, and an earlier call has removed the group
        if not message.visible and message.receipt:
            group.in_flight -= 1
        if group.first() is None:
            self._set_waiting(group, None)
            del self.groups[group.name]
        else:
            self.refresh(group)

    def came_back(self, message: Message) -> None:
        """Account for a message that is visible again: its group goes behind those that wait now (FF-23, FF-25)."""
        group = self.groups[message.group]
        group.in_flight -= 1
        self._indexes += 1
        group.returned_at = self._indexes
        self.refresh(group)

    def refresh(self, group: Group) -> None:
        """Put a group that can be served among those that wait, at its index, or take it out."""
        first = group.first()
        if first is None or not first.visible or first.index > self._seen_up_to:
            self._set_waiting(group, None)
        else:
            self._set_waiting(group, max(first.index, group.returned_at))

    def next(self) -> Group | None:
        """Take the first group that can be served, or None. Call `refresh` when it has been served."""
        while self._waiting:
            index, group = heappop(self._waiting)
            if group.waits_at == index:
                group.waits_at = None
                self.ready -= 1
                return group
        return None

    def takeable(self, group: Group, maximum: int) -> list[Message]:
        """Return the messages that a group yields now, in order, at most `maximum` (FF-13)."""
        found: list[Message] = []
        for message in group.messages:
            if not message.stored:
                continue
            if not message.visible or len(found) == maximum or message.index > self._seen_up_to:
                break
            found.append(message)
        return found

    def _look_further(self) -> None:
        while self._beyond and self._seen < self.window:
            message = self._beyond.popleft()
            if message.stored:
                self._seen += 1
                self._seen_up_to = message.index
                self.refresh(self.groups[message.group])

    def _set_waiting(self, group: Group, index: int | None) -> None:
        if group.waits_at == index:
            return
        self.ready += (index is not None) - (group.waits_at is not None)
        group.waits_at = index
        if index is not None:
            heappush(self._waiting, (index, group))


# The queue ------------------------------------------------------------------------------------------------------------


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
    _own: deque[tuple[int, Message]] = attrs.field(factory=deque[tuple[int, Message]])
    """Sends whose deduplication ids are their messages' own ids. They are noted in `memory` before it is next asked,
    because most runs never ask."""

    def __attrs_post_init__(self) -> None:
        """Start empty."""
        self.store = Store(self.queue.retention_period * 1000)
        self.groups = Groups(self.window)

    @property
    def visible(self) -> int:
        """Number of messages that are not hidden, including those blocked by their group (FF-26)."""
        return self.store.visible

    @property
    def stored(self) -> int:
        """Number of messages in the queue, including hidden ones."""
        return self.store.stored

    @property
    def receivable(self) -> bool:
        """True if a group can be served; at the quota of messages in flight none can (IF-4)."""
        return self.groups.ready > 0 and self.store.in_flight < self.in_flight_quota

    # Sending

    def duplicate(self, group: str, deduplication_id: str, *, now: int) -> Accepted | None:
        """Return the send of the last five minutes that this one repeats, or None (FF-5 … FF-7)."""
        self._note_own(now)
        return self.memory.find(self._key(group, deduplication_id), now=now)

    def remember(self, message: Message, deduplication_id: str, *, now: int) -> None:
        """Remember an accepted send, so that its repetitions are dropped."""
        self._note_own(now)
        self._note(message, deduplication_id, now)

    def remember_own(self, message: Message, *, now: int) -> None:
        """Remember an accepted send whose deduplication id is the message's own id."""
        while self._own and self._own[0][0] + INTERVAL <= now:
            self._own.popleft()
        self._own.append((now, message))

    def _note_own(self, now: int) -> None:
        while self._own:
            at, message = self._own.popleft()
            if at + INTERVAL > now:
                self._note(message, message_id(message.number), at)

    def _note(self, message: Message, deduplication_id: str, at: int) -> None:
        accepted = Accepted(message.number, message.index)
        self.memory.note(self._key(message.group, deduplication_id), accepted, now=at)

    def _key(self, group: str, deduplication_id: str) -> tuple[str, str]:
        return (group if self.queue.deduplication_scope == "messageGroup" else "", deduplication_id)

    def accept(self, message: Message, *, now: int, delay: int | None = None) -> None:
        """Add a new or moved message behind the others of its group; only the queue can delay it (DL-4, FF-21)."""
        self.store.put(message, self.queue.delay * 1000 if delay is None else delay, now)
        self.groups.add(message)
        self.groups.refresh(self.groups.groups[message.group])

    # Receiving

    def receive(
        self, maximum: int, *, now: int, visibility_timeout: int | None = None, chance: Chance = CALM
    ) -> tuple[list[Receipt], list[Message]]:
        """Return up to `maximum` messages with new receipts, and those that were found to be over max_receive_count.

        As many as possible come from the first group that can be served, then from the others (FF-13). A message over
        max_receive_count leaves its group and does not block it (DLQ-14). `chance` is ignored: FIFO order is kept.
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
        """Return the receipts of the attempt with that id, hidden anew from now on; empty for a new attempt (FF-20).

        Assumed: a repetition is not a further receive, so the counts stay.
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

        Extended visibility keeps a receipt valid (RH-6). Assumed: a second delete succeeds, as on standard ones (RH-7).
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
        """Hide a message for `timeout` milliseconds from now; 0 returns it to its group (VT-6, VT-10, FF-18).

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
        """Make due messages visible, and return them in the order of their due times (FF-17, DL-1)."""
        shown = self.store.settle(now)
        for message in shown:
            if message.receipt:
                self.groups.came_back(message)
            else:
                self.groups.refresh(self.groups.groups[message.group])
        return shown

    def expire(self, *, now: int) -> list[Message]:
        """Remove and return the messages past their retention, in flight or not; their groups go on (RT-1, FF-19)."""
        gone = self.store.expired(now)
        for message in gone:
            self.groups.left(message)
        return gone

    def next_expiry(self) -> int | None:
        """Return when the next message's retention ends, or None."""
        return self.store.next_expiry()

    def take_out(self, message: Message) -> None:
        """Remove a message that moves to another queue."""
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
        """Remove and return all messages, in flight or delayed, and forget all deduplication ids (PQ-1, PQ-3)."""
        self.memory.clear()
        self._own.clear()
        self.groups = Groups(self.window)
        return self.store.clear()

    def configure(self, queue: Queue, *, now: int) -> None:
        """Change the queue's attributes: delay and retention apply to messages in the queue too (DL-3, RT-3)."""
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

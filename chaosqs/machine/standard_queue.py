"""A standard queue: who can be received, what a receive does to it, what is over. Time is an argument (milliseconds)."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

import attrs

from chaosqs.model.design import Queue


@attrs.define(eq=False)
class Message:
    """One message in the fake."""

    number: int
    body_bytes: int
    sent_at: int
    """From when its retention counts (RT-1); a move to a standard dead-letter queue does not change it (DLQ-9)."""
    receive_count: int = 0
    """Receives over all queues (RX-7)."""
    deliveries: int = 0
    """Receives from the queue that it is in: what redrive compares (DLQ-2; for chains Assumed: DLQ-20)."""
    receipt: int = 0
    """Number of its latest receipt handle; 0 before the first receive (RH-1)."""
    visible_at: int = 0
    """Until when it is hidden."""
    stored: bool = True
    """False once it was deleted, expired or moved away from this queue."""
    visible: bool = False
    last_event: int | None = None
    """Place of the event that made it receivable: the cause of its next receive."""


@attrs.frozen
class Receipt:
    """A receipt handle: which receive of which message (RH-1)."""

    message: Message
    number: int


@attrs.define(eq=False)
class StandardQueue:
    """The messages of one standard queue."""

    queue: Queue
    visible: int = 0
    """How many can be received now."""
    stored: int = 0
    """How many are in the queue, hidden ones included."""
    _line: deque[Message] = attrs.field(factory=deque[Message])
    _hidden: list[tuple[int, int, Message]] = attrs.field(factory=list[tuple[int, int, Message]])
    _expiries: list[tuple[int, int, Message]] = attrs.field(factory=list[tuple[int, int, Message]])
    _sequence: int = 0
    _receipts: int = 0

    def accept(self, message: Message, *, now: int) -> None:
        """Take a new or moved message in; the queue's delay hides it at first (DL-1)."""
        self.stored += 1
        self._sequence += 1
        heappush(self._expiries, (message.sent_at + self.queue.retention_period * 1000, self._sequence, message))
        if self.queue.delay:
            self._hide(message, now + self.queue.delay * 1000)
        else:
            self._show(message)

    def receive(self, maximum: int, *, now: int) -> tuple[list[Receipt], list[Message]]:
        """Return up to `maximum` messages with new receipts, and those that were found to be over max_receive_count.

        The latter are not returned to the consumer, do not count as received, and leave this queue (DLQ-2 … DLQ-6).
        """
        received: list[Receipt] = []
        moved: list[Message] = []
        redrive = self.queue.redrive
        while self._line and len(received) < maximum:
            message = self._line.popleft()
            if not (message.stored and message.visible):
                continue
            if redrive is not None and message.deliveries >= redrive.max_receive_count:
                self._forget(message)
                moved.append(message)
                continue
            message.receive_count += 1
            message.deliveries += 1
            self._receipts += 1
            message.receipt = self._receipts
            self.visible -= 1
            self._hide(message, now + self.queue.visibility_timeout * 1000)
            received.append(Receipt(message, self._receipts))
        return received, moved

    def delete(self, receipt: Receipt) -> bool:
        """Delete by receipt; tell whether the message is gone. A receipt that is not the latest one deletes nothing
        (RH-2, Assumed for RH-4); one whose visibility is over, but which is the latest, does (RH-3)."""
        message = receipt.message
        if message.stored and message.receipt == receipt.number:
            self._forget(message)
        return not message.stored

    def settle(self, *, now: int) -> list[Message]:
        """Make visible what is due, and return it in the order of its moments (VT-4, DL-1)."""
        shown: list[Message] = []
        while self._hidden and self._hidden[0][0] <= now:
            due, _, message = heappop(self._hidden)
            if message.stored and not message.visible and message.visible_at == due:
                self._show(message)
                shown.append(message)
        return shown

    def expire(self, *, now: int) -> list[Message]:
        """Remove what is past its retention, in flight or not, and return it (RT-1, RT-2)."""
        gone: list[Message] = []
        while (due := self.next_expiry()) is not None and due <= now:
            _, _, message = heappop(self._expiries)
            self._forget(message)
            gone.append(message)
        return gone

    def next_expiry(self) -> int | None:
        """When the next message's retention ends, or None."""
        while self._expiries and not self._expiries[0][2].stored:
            heappop(self._expiries)
        return self._expiries[0][0] if self._expiries else None

    def _hide(self, message: Message, until: int) -> None:
        message.visible, message.visible_at = False, until
        self._sequence += 1
        heappush(self._hidden, (until, self._sequence, message))

    def _show(self, message: Message) -> None:
        message.visible = True
        self.visible += 1
        self._line.append(message)

    def _forget(self, message: Message) -> None:
        message.stored = False
        self.stored -= 1
        if message.visible:
            self.visible -= 1

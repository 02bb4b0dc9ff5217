"""The messages of one queue without their order: which are hidden and until when, which are past their retention.

Everything is indexed by time, so that the cost of a step does not grow with the backlog.
"""

from heapq import heapify, heappop, heappush

import attrs

from chaosqs.sqs.machines.message import Message


@attrs.define(eq=False)
class Store:
    """The messages of one queue and their counts; times in milliseconds."""

    retention: int
    """Milliseconds that a message is kept (RT-1)."""
    visible: int = 0
    """Number of messages that are not hidden; on FIFO this includes those blocked by their group (FF-26)."""
    stored: int = 0
    """Number of messages in the queue."""
    delayed: int = 0
    """Number of hidden messages never received from this queue, which are not in flight (DL-6)."""
    messages: dict[int, Message] = attrs.field(factory=dict[int, Message])
    """Messages by number."""
    receipts: int = 0
    """Number of receipts given so far (RH-1)."""
    _hidden: list[tuple[int, int, Message]] = attrs.field(factory=list[tuple[int, int, Message]])
    _expiries: list[tuple[int, int, Message]] = attrs.field(factory=list[tuple[int, int, Message]])
    _sequence: int = 0

    @property
    def in_flight(self) -> int:
        """Number of messages that were received and are hidden: consumers hold them (IF-1, FQ-8)."""
        return self.stored - self.visible - self.delayed

    def put(self, message: Message, delay: int, now: int) -> None:
        """Add a message, hidden for `delay` milliseconds at first (DL-1)."""
        self.stored += 1
        self.messages[message.number] = message
        self._sequence += 1
        heappush(self._expiries, (message.sent_at + self.retention, self._sequence, message))
        if delay:
            self.delayed += 1
            message.visible_at = now + delay
            self._sequence += 1
            heappush(self._hidden, (now + delay, self._sequence, message))
        else:
            message.visible = True
            self.visible += 1

    def hide(self, message: Message, until: int) -> None:
        """Hide a message until a moment, which replaces the one of a message that is already hidden (VT-6)."""
        if message.visible:
            message.visible = False
            self.visible -= 1
        message.visible_at = until
        self._sequence += 1
        heappush(self._hidden, (until, self._sequence, message))

    def show(self, message: Message) -> None:
        """Make a hidden message visible."""
        message.visible = True
        self.visible += 1
        if not message.receipt:
            self.delayed -= 1

    def settle(self, now: int) -> list[Message]:
        """Make due messages visible, and return them in the order of their due times (VT-4, DL-1)."""
        shown: list[Message] = []
        hidden = self._hidden
        while hidden and hidden[0][0] <= now:
            due, _, message = heappop(hidden)
            if message.stored and not message.visible and message.visible_at == due:
                self.show(message)
                shown.append(message)
        return shown

    def receive(self, message: Message, until: int, now: int) -> int:
        """Count a receive of a visible message, hide it, and return the number of its receipt (RX-7, RH-1).

        The timeout counts from now (VT-3); a timeout of 0 hides the message until this very moment (VT-11). The receive
        counts even if the caller never gets the answer (RX-8).
        """
        message.receive_count += 1
        message.deliveries += 1
        message.received_at = now
        if message.first_received_at is None:
            message.first_received_at = now
        self.receipts = message.receipt = self.receipts + 1
        message.visible = False
        message.visible_at = until
        self.visible -= 1
        self._sequence += 1
        heappush(self._hidden, (until, self._sequence, message))
        return message.receipt

    def forget(self, message: Message) -> None:
        """Remove a message."""
        message.stored = False
        self.stored -= 1
        del self.messages[message.number]
        if message.visible:
            self.visible -= 1
        elif not message.receipt:
            self.delayed -= 1

    def expired(self, now: int) -> list[Message]:
        """Remove and return the messages past their retention, in flight or not (RT-1, RT-2)."""
        gone: list[Message] = []
        while (due := self.next_expiry()) is not None and due <= now:
            message = heappop(self._expiries)[2]
            self.forget(message)
            gone.append(message)
        return gone

    def next_expiry(self) -> int | None:
        """Return when the next message's retention ends, in milliseconds, or None."""
        expiries = self._expiries
        while expiries and not expiries[0][2].stored:
            heappop(expiries)
        return expiries[0][0] if expiries else None

    def next_due(self) -> int | None:
        """Return when the next hidden message becomes visible, in milliseconds, or None."""
        hidden = self._hidden
        while hidden and not _still_due(*hidden[0]):
            heappop(hidden)
        return hidden[0][0] if hidden else None

    def keep_for(self, retention: int) -> None:
        """Change the retention, also of stored messages (RT-3; Assumed: at once, not within 15 minutes)."""
        self.retention = retention
        self._expiries = [
            (message.sent_at + retention, index, message) for index, message in enumerate(self.messages.values())
        ]
        self._sequence = max(self._sequence, len(self._expiries))
        heapify(self._expiries)

    def clear(self) -> list[Message]:
        """Remove and return all messages (PQ-1)."""
        gone = list(self.messages.values())
        for message in gone:
            message.stored = False
        self.visible = self.stored = self.delayed = 0
        self.messages.clear()
        self._hidden.clear()
        self._expiries.clear()
        return gone


def _still_due(due: int, _: int, message: Message) -> bool:
    return message.stored and not message.visible and message.visible_at == due

"""How one poller gathers a batch out of receives of ten: when it is ready, and what has to wait for the next one.

A batch is ready at the first of three (EP-4): it has `batch_size` messages; the next message would take its payload
over the limit (that message starts the next batch); its window closes. Without a window it is ready after one receive
(EP-3).

When a window opens: "as soon as the previous function invocation completes" (EP-5); `finished` says when. Assumed,
where that sentence is silent: the first window, one after another that closed with nothing in it, and one of a batch
that is gathered while an invocation runs open with the first message.

When it closes: after `window`. But a poller that has nothing else to do waits in a long poll, and the batch waits
with it: "with very low traffic up to 20 seconds, even if the window is shorter" (EP-6). So, Assumed: a window closes
no sooner than `low_traffic_wait` after the latest receive that brought something. A receive that brings something
when the window is over makes the batch ready at once.

Visibility counts from the receive, so the oldest message has used up its wait here (EP-10); the batcher does not care.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import attrs

from chaosqs.lambda_.machines.sqs_event import Payload

MOST_PER_RECEIVE = 10
"""Messages that one receive returns at the most (RX-1)."""


@attrs.define
class Batcher:
    """The batch that one poller gathers; times in milliseconds."""

    batch_size: int
    """1 to 10,000 messages (EC-1)."""
    window: int
    """0, or 1,000 to 300,000 ms (EC-2)."""
    low_traffic_wait: int = 0
    """0 to 20,000 ms (EP-6)."""
    _sizes: deque[int] = attrs.field(factory=deque[int])
    """Bytes of each message that is held, oldest first."""
    _payload: Payload = attrs.field(factory=Payload)
    """What the oldest of them amount to: the batch."""
    _opened: int | None = None
    _latest: int = 0

    @property
    def held(self) -> int:
        """How many messages the poller has, those of the next batch included."""
        return len(self._sizes)

    @property
    def gathered(self) -> int:
        """How many messages the batch has."""
        return self._payload.records

    @property
    def full(self) -> bool:
        """Whether no other message goes into the batch: by count, or because one was cut off (EP-4)."""
        return self.gathered >= self.batch_size or self.gathered < self.held

    @property
    def wanted(self) -> int:
        """How many messages the next receive may ask for: 0 to 10."""
        return 0 if self.full else min(MOST_PER_RECEIVE, self.batch_size - self.gathered)

    def add(self, sizes: Iterable[int], now: int) -> None:
        """Take what one receive brought: the bytes that each message takes in the payload, in the order received."""
        before = self.held
        for size in sizes:
            self._hold(size)
        if self.held > before:
            self._latest = now
            if not before and self._is_over(now):
                self._opened = now

    def due(self) -> int | None:
        """Return when the batch is ready, a moment that may be over; None while there is none."""
        if not self.held or self._opened is None:
            return None
        closes = self._opened + self.window
        if self.full or not self.window or self._latest >= closes:
            return self._latest
        return max(closes, self._latest + self.low_traffic_wait)

    def take(self, now: int) -> int:
        """Hand over the batch: return how many of the messages held make it, oldest first; the rest begin the next."""
        taken = self.gathered
        rest = list(self._sizes)[taken:]
        self._sizes.clear()
        self._payload = Payload()
        for size in rest:
            self._hold(size)
        self._opened, self._latest = (now, now) if rest else (None, self._latest)
        return taken

    def finished(self, now: int) -> None:
        """Open the next window: the previous invocation has finished (EP-5)."""
        self._opened = now

    def _hold(self, size: int) -> None:
        if not self.full and self._payload.fits(size):
            self._payload.add(size)
        self._sizes.append(size)

    def _is_over(self, now: int) -> bool:
        return self._opened is None or now >= self._opened + self.window

"""The batch that one poller gathers from receives of up to ten messages: when it is ready, and what waits for the next.

A batch is ready at the first of three events (EP-4): it has `batch_size` messages; the next message would exceed the
payload limit (that message starts the next batch); its window closes. Without a window it is ready after one receive
(EP-3).

A window opens "as soon as the previous function invocation completes" (EP-5), also for messages for which the previous
batch had no room; `finished` reports this. Assumed, where that sentence is silent: a window opens with the first
message if it is the first window, or if the previous one closed empty.

A window closes after `window`. But a poller that has nothing else to do waits in a long poll, and the batch waits
with it: "with very low traffic up to 20 seconds, even if the window is shorter" (EP-6). So, Assumed: a window closes
no sooner than `low_traffic_wait` after the latest receive that returned messages. A receive that returns messages
after the end of the window makes the batch ready at once.

Visibility timeouts count from the receive, so the wait in the batch uses them up (EP-10). The batcher ignores them.
"""

from collections import deque
from collections.abc import Iterable

import attrs

from chaosqs.lambda_.machines.sqs_event import Payload

MOST_PER_RECEIVE = 10
"""Maximum messages that one receive returns (RX-1)."""


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
    """Bytes of each held message, oldest first."""
    _payload: Payload = attrs.field(factory=Payload)
    """Payload of the batch, which is the oldest of the held messages."""
    _opened: int | None = None
    _latest: int = 0

    @property
    def held(self) -> int:
        """Number of messages that the poller holds, including those of the next batch."""
        return len(self._sizes)

    @property
    def gathered(self) -> int:
        """Number of messages in the batch."""
        return self._payload.records

    @property
    def full(self) -> bool:
        """True if the batch takes no further message: it has `batch_size`, or the next one did not fit (EP-4)."""
        return self.gathered >= self.batch_size or self.gathered < self.held

    @property
    def wanted(self) -> int:
        """Number of messages that the next receive may ask for: 0 to 10."""
        return 0 if self.full else min(MOST_PER_RECEIVE, self.batch_size - self.gathered)

    def add(self, sizes: Iterable[int], now: int) -> None:
        """Add the messages of one receive: the bytes that each takes in the payload, in the order received."""
        before = self.held
        for size in sizes:
            self._hold(size)
        if self.held > before:
            self._latest = now
            if not before and self._is_over(now):
                self._opened = now

    def due(self) -> int | None:
        """Return the moment at which the batch is ready, which may be over; None while there is no batch."""
        if not self.held or self._opened is None:
            return None
        closes = self._opened + self.window
        if self.full or not self.window or self._latest >= closes:
            return self._latest
        return max(closes, self._latest + self.low_traffic_wait)

    def take(self, now: int) -> int:
        """Take the batch: return how many of the held messages it has, oldest first; the rest start the next batch."""
        taken = self.gathered
        rest = list(self._sizes)[taken:]
        self._sizes.clear()
        self._payload = Payload()
        for size in rest:
            self._hold(size)
        self._opened, self._latest = (now, now) if rest else (None, self._latest)
        return taken

    def finished(self, now: int) -> None:
        """Open the next window, as the previous invocation has finished (EP-5), also for messages held already."""
        self._opened = now

    def _hold(self, size: int) -> None:
        if not self.full and self._payload.fits(size):
            self._payload.add(size)
        self._sizes.append(size)

    def _is_over(self, now: int) -> bool:
        return self._opened is None or now >= self._opened + self.window

"""ReceiveRequestAttemptId: a repeated receive of a FIFO queue gets the same messages and handles (FF-20)."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

import attrs

from chaosqs.machine.deduplication import INTERVAL
from chaosqs.machine.message import Receipt


@attrs.frozen(eq=False)
class Attempt:
    """One receive with an attempt id, and when the visibility of each message would end."""

    made_at: int
    receipts: tuple[Receipt, ...]
    visible_at: tuple[int, ...]

    @property
    def untouched(self) -> bool:
        """Whether all its messages are still in flight as it left them: none deleted, changed or returned."""
        return all(
            receipt.message.stored
            and not receipt.message.visible
            and receipt.message.receipt == receipt.number
            and receipt.message.visible_at == due
            for receipt, due in zip(self.receipts, self.visible_at, strict=True)
        )


@attrs.define(eq=False)
class Attempts:
    """The receives with an attempt id of the last five minutes."""

    _known: dict[str, Attempt] = attrs.field(factory=dict[str, Attempt])
    _order: deque[tuple[int, str]] = attrs.field(factory=deque[tuple[int, str]])

    def find(self, attempt_id: str, *, now: int) -> tuple[Receipt, ...]:
        """Return what an attempt received, where it can be repeated; empty where it cannot.

        Assumed: after a delete, a change or the end of the visibility of one message, the attempt is a new receive.
        """
        while self._order and self._order[0][0] <= now:
            _, known = self._order.popleft()
            if known in self._known and self._known[known].made_at + INTERVAL <= now:
                del self._known[known]
        attempt = self._known.get(attempt_id)
        return attempt.receipts if attempt is not None and attempt.untouched else ()

    def note(self, attempt_id: str, receipts: Sequence[Receipt], *, now: int) -> None:
        """Remember what an attempt received."""
        ends = tuple(receipt.message.visible_at for receipt in receipts)
        self._known[attempt_id] = Attempt(now, tuple(receipts), ends)
        self._order.append((now + INTERVAL, attempt_id))

    def extended(self, attempt_id: str) -> None:
        """Note the new ends of visibility after a repetition."""
        attempt = self._known[attempt_id]
        ends = tuple(receipt.message.visible_at for receipt in attempt.receipts)
        self._known[attempt_id] = Attempt(attempt.made_at, attempt.receipts, ends)

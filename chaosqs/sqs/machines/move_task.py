"""A message move task: how many messages it may have moved by now, and what state it is in (MV-1 … MV-7)."""

from __future__ import annotations

import attrs

RUNNING, COMPLETED, CANCELLING, CANCELLED, FAILED = "RUNNING", "COMPLETED", "CANCELLING", "CANCELLED", "FAILED"
MOST_PER_SECOND = 500
"""The largest rate that can be asked for, and (Assumed) the rate where none is (MV-3)."""
LONGEST = 36 * 3_600_000
"""Milliseconds after which a task ends, whatever is left (MV-3)."""


@attrs.define(eq=False)
class MoveTask:
    """One task."""

    handle: str
    source: str
    """ARN of the dead-letter queue."""
    destination: str
    """ARN of the queue that takes the messages; empty: each one goes back to where it came from (MV-2)."""
    rate: int | None
    """Messages a second as asked for, or None."""
    started_at: int
    to_move: int
    """Messages that were visible when it started."""
    moved: int = 0
    status: str = RUNNING
    failure: str = ""
    cause: int | None = None
    """Place of the event that started it; None: each message's move is caused by what brought it here."""

    @property
    def active(self) -> bool:
        """Whether it still moves messages."""
        return self.status in (RUNNING, CANCELLING)

    @property
    def interval(self) -> int:
        """Milliseconds between two messages. Assumed: evenly spread over the second."""
        return 1000 // (self.rate or MOST_PER_SECOND)

    def over(self, now: int) -> bool:
        """Tell whether its time is up (MV-3)."""
        return now - self.started_at >= LONGEST

    def cancel(self) -> None:
        """Ask it to stop: it does before the next message."""
        self.status = CANCELLING

    def end(self, failure: str = "") -> None:
        """Note that it is over, and why if it failed (MV-7)."""
        self.failure = failure
        if failure:
            self.status = FAILED
        else:
            self.status = CANCELLED if self.status == CANCELLING else COMPLETED

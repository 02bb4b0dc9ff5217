"""A message move task: its rate, its end and its state (MV-1 … MV-7)."""

import attrs

RUNNING, COMPLETED, CANCELLING, CANCELLED, FAILED = "RUNNING", "COMPLETED", "CANCELLING", "CANCELLED", "FAILED"
MOST_PER_SECOND = 500
"""Maximum rate that can be asked for, and (Assumed) the rate if none is asked for (MV-3)."""
LONGEST = 36 * 3_600_000
"""Milliseconds after which a task ends, even if messages are left (MV-3)."""


@attrs.define(eq=False)
class MoveTask:
    """One message move task."""

    handle: str
    source: str
    """ARN of the dead-letter queue."""
    destination: str
    """ARN of the queue that takes the messages; empty: each goes back to the queue that it came from (MV-2)."""
    rate: int | None
    """Requested messages a second, or None."""
    started_at: int
    to_move: int
    """Number of messages that were visible at the start."""
    moved: int = 0
    status: str = RUNNING
    failure: str = ""
    cause: int | None = None
    """Index of the event that started it; None: the cause of each move is the latest event of its message."""

    @property
    def active(self) -> bool:
        """True while it moves messages."""
        return self.status in (RUNNING, CANCELLING)

    @property
    def interval(self) -> int:
        """Milliseconds between two messages. Assumed: they are spread evenly over the second."""
        return 1000 // (self.rate or MOST_PER_SECOND)

    def over(self, now: int) -> bool:
        """Return True if its time is up (MV-3)."""
        return now - self.started_at >= LONGEST

    def cancel(self) -> None:
        """Ask the task to stop before its next message."""
        self.status = CANCELLING

    def end(self, failure: str = "") -> None:
        """End the task; `failure` is the reason if it failed, else empty (MV-7)."""
        self.failure = failure
        if failure:
            self.status = FAILED
        else:
            self.status = CANCELLED if self.status == CANCELLING else COMPLETED

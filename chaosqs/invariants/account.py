"""Where one message is, as the books of *conservation* have it."""

from __future__ import annotations

import attrs


@attrs.define
class Account:
    """Where one message is; moments in milliseconds."""

    home: str
    """The queue that it was sent to."""
    queue: str
    """The queue that it is in; empty: it is gone."""
    sent: int
    """From when its retention counts."""
    visible_at: int
    """Until when it is, or was, hidden."""
    last: int
    """Place of the event that spoke of it last."""
    before: int | None = None
    """Place of the one before that."""
    in_flight: bool = False
    receive_count: int = 0
    mappings: list[str] = attrs.field(factory=list[str])
    """The mappings that have received it."""

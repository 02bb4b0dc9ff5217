"""What CloudWatch counts of a queue's calls (ledger 11.1)."""

from __future__ import annotations

import attrs


@attrs.define
class Counters:
    """Counts since the queue was made."""

    sent: int = 0
    """Messages by SendMessage and SendMessageBatch; dead-lettered ones are not counted (DLQ-16)."""
    sent_bytes: int = 0
    received: int = 0
    """Every returned message, again and again."""
    deleted: int = 0
    """Successful deletes, repeated ones too (RH-7)."""
    empty_receives: int = 0
    """Receives that returned nothing, long polls too."""
    deduplicated: int = 0
    """FIFO: sends that were dropped as duplicates."""

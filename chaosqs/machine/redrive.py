"""What a message is after a move: into a dead-letter queue (DLQ-6 … DLQ-15), or out of it again (MV-4, MV-5).

Reported failures count receives as all others do (EQ-5).
"""

from __future__ import annotations

import attrs

from chaosqs.machine.identity import message_id
from chaosqs.machine.message import Message


def dead_lettered(message: Message, source: str, *, fifo: bool, place: int, now: int) -> Message:
    """Return a message as it enters a dead-letter queue.

    It keeps its id, contents, counts and, on standard queues, the clock of its retention (DLQ-6, DLQ-7, DLQ-9). On FIFO
    queues the clock starts anew, and its id takes the place of the deduplication id (DLQ-10, DLQ-15).
    """
    content = message.content
    if fifo and content is not None:
        content = attrs.evolve(content, deduplication_id=message_id(message.number))
    return Message(
        message.number,
        message.body_bytes,
        now if fifo else message.sent_at,
        message.receive_count,
        last_event=place,
        group=message.group,
        content=content,
        first_received_at=message.first_received_at,
        source=source,
        copy_of=message.copy_of,
    )


def redriven(message: Message, number: int, *, now: int) -> Message:
    """Return a message as it leaves a dead-letter queue: a new one in all but its contents (MV-4, MV-5)."""
    first = message.number if message.copy_of is None else message.copy_of
    return Message(number, message.body_bytes, now, group=message.group, content=message.content, copy_of=first)

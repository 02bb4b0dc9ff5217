"""CloudWatch's metrics of one queue: counts since its creation, gauges of this moment (CW-1 … CW-13)."""

from __future__ import annotations

from collections.abc import Sequence

from chaosqs.machine.fifo_queue import FifoQueue
from chaosqs.machine.message import Message
from chaosqs.machine.standard_queue import StandardQueue
from chaosqs.simulator.line import Line

_POISON = 3
"""Receives after which a message that moves to the back is left out of the oldest age (OR-3)."""


def metrics(line: Line, *, now: int) -> dict[str, float]:
    """Return all metrics that this type of queue has; ages in seconds."""
    counters, store = line.counters, line.machine.store
    found: dict[str, float] = {
        "NumberOfMessagesSent": counters.sent,
        "SentMessageSize": counters.sent_bytes,
        "NumberOfMessagesReceived": counters.received,
        "NumberOfMessagesDeleted": counters.deleted,
        "NumberOfEmptyReceives": counters.empty_receives,
        "ApproximateNumberOfMessagesVisible": store.visible,
        "ApproximateNumberOfMessagesNotVisible": store.in_flight,
        "ApproximateNumberOfMessagesDelayed": store.delayed,
    }
    messages = list(store.messages.values())
    machine = line.machine
    if isinstance(machine, FifoQueue):
        found["NumberOfDeduplicatedSentMessages"] = counters.deduplicated
        groups = machine.groups.groups.values()
        found["ApproximateNumberOfGroupsWithInflightMessages"] = sum(group.in_flight > 0 for group in groups)
    if isinstance(machine, StandardQueue):
        if machine.moves_to_back:
            messages = [message for message in messages if message.receive_count < _POISON]
        if machine.fairness is not None:
            found |= _quiet(machine, messages, now)
    found["ApproximateAgeOfOldestMessage"] = _age(messages, now)
    return found


def _quiet(machine: StandardQueue, messages: Sequence[Message], now: int) -> dict[str, float]:
    """Return the same without the noisy groups (FQ-9)."""
    noisy = {} if machine.fairness is None else machine.fairness.noisy
    quiet = [message for message in messages if message.group not in noisy]
    hidden = [message for message in quiet if not message.visible]
    return {
        "ApproximateNumberOfNoisyGroups": len(noisy),
        "ApproximateNumberOfMessagesVisibleInQuietGroups": len(quiet) - len(hidden),
        "ApproximateNumberOfMessagesNotVisibleInQuietGroups": sum(message.receipt > 0 for message in hidden),
        "ApproximateNumberOfMessagesDelayedInQuietGroups": sum(message.receipt == 0 for message in hidden),
        "ApproximateAgeOfOldestMessageInQuietGroups": _age(quiet, now),
    }


def _age(messages: Sequence[Message], now: int) -> float:
    """Return the age of the oldest, in seconds: in a dead-letter queue since the move (DLQ-11)."""
    return (now - min((message.entered_at for message in messages), default=now)) / 1000

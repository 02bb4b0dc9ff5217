"""A real handler that notes what an operator can change about it while it runs."""

from __future__ import annotations

from typing import Protocol

from tests.simulation.consumers import NOTES, URL, client


class Context(Protocol):
    memory_limit_in_mb: str

    def get_remaining_time_in_millis(self) -> int: ...


def looks(_event: object, context: Context) -> None:
    remaining = context.get_remaining_time_in_millis()
    found = client().get_queue_attributes(QueueUrl=URL + "orders", AttributeNames=["VisibilityTimeout"])
    NOTES.append((context.memory_limit_in_mb, remaining, found["Attributes"]["VisibilityTimeout"]))

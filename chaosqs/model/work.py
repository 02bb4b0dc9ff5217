"""Work of a handler in an invocation: writes, effects on other services, messages sent, effects recorded."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from chaosqs.model.events import Effect, Event, Sent, ServiceCalled

_WRITES = (
    "BatchWriteItem",
    "DeleteItem",
    "DeleteObject",
    "ExecuteStatement",
    "PutItem",
    "PutObject",
    "TransactWriteItems",
    "UpdateItem",
)


@attrs.frozen
class Work:
    """One thing that code did."""

    index: int
    """Index of its event."""
    what: str
    """Words for it: `dynamodb PutItem`, `a message to invoices`."""
    is_write: bool = False
    """True if it may be a mark of what is done: a write of DynamoDB or S3."""


def work_of(events: Sequence[Event], start: int) -> list[Work]:
    """Return the work of an invocation in its order, by the index of its start; calls that failed did nothing."""
    found: list[Work] = []
    for index in range(start, len(events)):
        match events[index]:
            case ServiceCalled(error="") as call if call.cause == start:
                is_write = call.operation in _WRITES
                if is_write or call.effects:
                    found.append(Work(index, f"{call.service} {call.operation}", is_write))
            case Sent(cause=cause, queue=queue) if cause == start:
                found.append(Work(index, f"a message to {queue}"))
            case Effect(cause=cause, name=name) if cause == start:
                found.append(Work(index, name))
            case _:
                pass
    return found


def before_the_mark(work: Sequence[Work]) -> tuple[str, ...]:
    """Return words for the work before the last write, which marks it as done; nothing without such a mark."""
    marks = [place for place, done in enumerate(work) if done.is_write]
    return tuple(done.what for done in work[: marks[-1]]) if marks else ()

"""The benchmark's own invariants, for properties that no built-in invariant has; a team would write such ones, too."""

from __future__ import annotations

from collections.abc import Iterator

from chaosqs.invariants.custom import Blamed, invariant
from chaosqs.model.delivery import Ending
from chaosqs.model.events import Expired, FilteredOut, InvocationEnded
from chaosqs.model.history import History

_FAILURES = (Ending.FAILED, Ending.REPORTED)


@invariant("A message is dead-lettered only after its function has failed on it.", unit="messages dead-lettered")
def dead_lettered_only_after_failures(history: History) -> Iterator[Blamed]:
    for fate in history.dead_lettered:
        if not any(delivery.ending in _FAILURES for delivery in fate.deliveries):
            yield f"Message {fate.event.message + 1} was dead-lettered, and no function had failed on it.", fate.event


@invariant("No message is dead-lettered unprocessed.", unit="messages dead-lettered")
def nothing_dead_lettered(history: History) -> Iterator[Blamed]:
    for fate in history.dead_lettered:
        if not fate.processed:
            yield f"Message {fate.event.message + 1} was dead-lettered unprocessed.", fate.event


@invariant("No message expires unprocessed.", unit="messages expired")
def nothing_expires_unprocessed(history: History) -> Iterator[Blamed]:
    for _, event in history.each(Expired):
        deliveries = history.deliveries.get(event.message, ())
        if not any(delivery.ending is Ending.PROCESSED for delivery in deliveries):
            yield f"Message {event.message + 1} expired unprocessed.", event


@invariant("No order is filtered out.", unit="messages")
def nothing_filtered_out(history: History) -> Iterator[Blamed]:
    for _, event in history.each(FilteredOut):
        yield "A message was deleted unseen by the filters.", event


@invariant("No handler raises.", unit="invocations")
def no_handler_raises(history: History) -> Iterator[Blamed]:
    for _, event in history.each(InvocationEnded):
        if event.outcome == "raised" and not event.fault:
            yield f"{event.function} raised.", event

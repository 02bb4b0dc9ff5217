"""The figures of one run for a comparison: what became of the messages, and what it took."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import TypeAlias

import attrs

from chaosqs.model.event import Event, InvocationEnded, InvocationStarted, Sent
from chaosqs.model.history import History


class Happened(StrEnum):
    """What can happen to a message beside what the events of queues and invocations say."""

    SENT = "sent"
    PROCESSED = "processed"
    REFUSED = "refused"
    """The front answered 429."""
    GIVEN_UP = "given up"
    """Its client pushes it no more: it is lost to the caller."""
    DEAD_LETTERED = "dead-lettered"
    """The failure destination of a stream was told."""
    DISCARDED = "discarded"
    """A stream gave it up, or its retention was over, and nobody was told."""


@attrs.frozen
class Note:
    """One thing that happened to one message of an alternative; `at` in milliseconds."""

    at: int
    message: int
    what: Happened


@attrs.frozen
class Figures:
    """What a comparison shows of one design; times in seconds."""

    name: str
    sent: int
    processed: int
    processed_twice: int
    dead_lettered: int
    dead_lettered_by_throttling: int
    """Of these: those that throttling alone brought there, so that the function never saw them."""
    discarded: int
    """Expired, or given up by a stream, and nobody was told."""
    lost_to_the_caller: int | None
    """Messages that their clients gave up pushing; None where no client waits for an answer."""
    remaining: int
    """Messages that were still there when the run ended."""
    throttles: int
    """Invocations that Lambda answered with 429."""
    rate_limited: int | None
    """Requests that a front answered with 429; None where there is none."""
    invocations: int
    concurrent_executions: int
    """Executions of one function at once, at the most."""
    longest_wait: float | None
    """From the sending of a message to the end of the first work on it that succeeded, at the most; None: none did."""
    drained_at: float | None
    """When the last message was gone; None: some remained."""
    digest: str
    """A fingerprint of all that happened in the run."""


Moments: TypeAlias = dict[int, list[int]]
"""For each message the moments of something, in milliseconds."""


def figures(name: str, history: History, notes: Sequence[Note] = (), *, pushed: bool = False) -> Figures:
    """Return the figures of a run; `pushed`: clients push its messages, and wait for an answer."""
    summary, told = history.summary(), Counter(note.what for note in notes)
    messages, functions = summary["messages"], summary["functions"].values()
    sent, processed = _sent(history.events, notes), _processed(history.events, notes)
    remaining = messages["remaining"] + _left(notes, processed)
    return Figures(
        name,
        sent=len(sent),
        processed=len(processed),
        processed_twice=sum(len(moments) > 1 for moments in processed.values()),
        dead_lettered=messages["dead_lettered"] + told[Happened.DEAD_LETTERED],
        dead_lettered_by_throttling=messages["dead_lettered_by_throttling"] + _never_seen(history.events, notes),
        discarded=messages["expired"] + told[Happened.DISCARDED],
        lost_to_the_caller=told[Happened.GIVEN_UP] if pushed else None,
        remaining=remaining,
        throttles=round(sum(function["Throttles"] for function in functions)),
        rate_limited=told[Happened.REFUSED] if pushed else None,
        invocations=round(sum(function["Invocations"] for function in functions)),
        concurrent_executions=round(max((function["ConcurrentExecutions"] for function in functions), default=0)),
        longest_wait=_longest_wait(sent, processed),
        drained_at=None if remaining else summary["drained_at"],
        digest=_digest(history, notes),
    )


def _sent(events: Iterable[Event], notes: Iterable[Note]) -> dict[int, int]:
    """Return when each message was sent; a repetition by a producer that never got an answer is none of its own."""
    found = {event.message: event.at for event in events if isinstance(event, Sent)}
    return found | {note.message: note.at for note in notes if note.what is Happened.SENT}


def _processed(events: Iterable[Event], notes: Iterable[Note]) -> Moments:
    found: Moments = {}
    for at, message in (*_succeeded(events), *_noted(notes, Happened.PROCESSED)):
        found.setdefault(message, []).append(at)
    return found


def _succeeded(events: Iterable[Event]) -> Iterator[tuple[int, int]]:
    for event in events:
        if isinstance(event, InvocationEnded) and event.outcome == "succeeded":
            yield from ((event.at, message) for message in event.messages if message not in event.failed)


def _noted(notes: Iterable[Note], what: Happened) -> Iterator[tuple[int, int]]:
    return ((note.at, note.message) for note in notes if note.what is what)


def _never_seen(events: Iterable[Event], notes: Sequence[Note]) -> int:
    """Count the messages that a stream gave up although no invocation ever had them."""
    moved = {message for _, message in _noted(notes, Happened.DEAD_LETTERED)}
    if not moved:
        return 0
    seen = {number for event in events if isinstance(event, InvocationStarted) for number in event.messages}
    return len(moved - seen)


def _left(notes: Sequence[Note], processed: Moments) -> int:
    """Count the messages of a front or a stream of which nothing has become."""
    sent = {message for _, message in _noted(notes, Happened.SENT)}
    over = {note.message for note in notes if note.what in _ENDINGS}
    return len(sent - over - processed.keys())


def _longest_wait(sent: dict[int, int], processed: Moments) -> float | None:
    waits = [min(moments) - sent[message] for message, moments in processed.items() if message in sent]
    return max(waits) / 1000 if waits else None


def _digest(history: History, notes: Sequence[Note]) -> str:
    if not notes:
        return history.digest
    seen = hashlib.blake2b(history.digest.encode(), digest_size=16)
    for note in notes:
        seen.update(repr(note).encode())
    return seen.hexdigest()


_ENDINGS = (Happened.GIVEN_UP, Happened.DEAD_LETTERED, Happened.DISCARDED)

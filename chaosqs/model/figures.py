"""The figures of one run for a comparison: the fates of its messages, and the resources and time that they took."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import TypeAlias

import attrs

from chaosqs.model.events import Event, InvocationEnded, InvocationStarted, Sent
from chaosqs.model.history import History


class Happened(StrEnum):
    """The kinds of events of a message that queues and invocations do not record."""

    SENT = "sent"
    PROCESSED = "processed"
    REFUSED = "refused"
    """The front answered 429."""
    GIVEN_UP = "given up"
    """The client stopped pushing it: it is lost to the caller."""
    DEAD_LETTERED = "dead-lettered"
    """A stream gave it up and reported it to its failure destination."""
    DISCARDED = "discarded"
    """A stream gave it up, or its retention was over, without a report."""


@attrs.frozen
class Note:
    """One event of one message of an alternative; `at` in milliseconds."""

    at: int
    message: int
    what: Happened


@attrs.frozen
class Figures:
    """The figures that a comparison shows of one design; times in seconds."""

    name: str
    sent: int
    processed: int
    processed_twice: int
    dead_lettered: int
    dead_lettered_by_throttling: int
    """Dead-lettered messages that the function never saw because of throttling alone."""
    discarded: int
    """Messages that expired, or that a stream gave up, without a report."""
    lost_to_the_caller: int | None
    """Messages that their clients gave up pushing; None if no client waits for an answer."""
    remaining: int
    """Messages that were still there when the run ended."""
    throttles: int
    """Invocations that Lambda answered with 429."""
    rate_limited: int | None
    """Requests that a front answered with 429; None if there is no front."""
    invocations: int
    concurrent_executions: int
    """Maximum executions of one function at once."""
    longest_wait: float | None
    """Longest time from sending a message to the end of the first invocation that succeeded on it; None: none did."""
    drained_at: float | None
    """Time at which the last message was gone; None: some remained."""
    digest: str
    """A fingerprint of the whole run."""


_Times: TypeAlias = dict[int, list[int]]
"""Times of a kind of event for each message, in milliseconds."""


def figures(name: str, history: History, notes: Sequence[Note] = (), *, pushed: bool = False) -> Figures:
    """Return the figures of a run; `pushed`: True if clients push the messages and wait for an answer."""
    summary, noted = history.summary(), Counter(note.what for note in notes)
    messages, functions = summary["messages"], summary["functions"].values()
    sent, processed = _sent(history.events, notes), _processed(history.events, notes)
    remaining = messages["remaining"] + _left(notes, processed)
    return Figures(
        name,
        sent=len(sent),
        processed=len(processed),
        processed_twice=sum(len(times) > 1 for times in processed.values()),
        dead_lettered=messages["dead_lettered"] + noted[Happened.DEAD_LETTERED],
        dead_lettered_by_throttling=messages["dead_lettered_by_throttling"] + _never_seen(history.events, notes),
        discarded=messages["expired"] + noted[Happened.DISCARDED],
        lost_to_the_caller=noted[Happened.GIVEN_UP] if pushed else None,
        remaining=remaining,
        throttles=round(sum(function["Throttles"] for function in functions)),
        rate_limited=noted[Happened.REFUSED] if pushed else None,
        invocations=round(sum(function["Invocations"] for function in functions)),
        concurrent_executions=round(max((function["ConcurrentExecutions"] for function in functions), default=0)),
        longest_wait=_longest_wait(sent, processed),
        drained_at=None if remaining else summary["drained_at"],
        digest=_digest(history, notes),
    )


def _sent(events: Iterable[Event], notes: Iterable[Note]) -> dict[int, int]:
    """Return the time at which each message was sent; a resend after a lost response counts as the original send."""
    found = {event.message: event.at for event in events if isinstance(event, Sent)}
    return found | {note.message: note.at for note in notes if note.what is Happened.SENT}


def _processed(events: Iterable[Event], notes: Iterable[Note]) -> _Times:
    found: _Times = {}
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
    """Count the messages that a stream dead-lettered although no invocation ever got them."""
    moved = {message for _, message in _noted(notes, Happened.DEAD_LETTERED)}
    if not moved:
        return 0
    seen = {number for event in events if isinstance(event, InvocationStarted) for number in event.messages}
    return len(moved - seen)


def _left(notes: Sequence[Note], processed: _Times) -> int:
    """Count the messages of a front or a stream that were neither processed nor given up."""
    sent = {message for _, message in _noted(notes, Happened.SENT)}
    over = {note.message for note in notes if note.what in _ENDINGS}
    return len(sent - over - processed.keys())


def _longest_wait(sent: dict[int, int], processed: _Times) -> float | None:
    waits = [min(times) - sent[message] for message, times in processed.items() if message in sent]
    return max(waits) / 1000 if waits else None


def _digest(history: History, notes: Sequence[Note]) -> str:
    if not notes:
        return history.digest
    seen = hashlib.blake2b(history.digest.encode(), digest_size=16)
    for note in notes:
        seen.update(repr(note).encode())
    return seen.hexdigest()


_ENDINGS = (Happened.GIVEN_UP, Happened.DEAD_LETTERED, Happened.DISCARDED)

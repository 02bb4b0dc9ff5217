"""Throttled batches: which retries a story tells, and who kept them out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from chaosqs.model.delivery import Delivery
from chaosqs.model.event import InvocationEnded, InvocationStarted, Released, Returned, Throttled
from chaosqs.report.clause import Clause
from chaosqs.report.slice import Slice
from chaosqs.report.step import moment_text
from chaosqs.report.text import counted
from chaosqs.report.words import Voice, busy_text, limit_text, verb


def without_retries(story: Slice, places: Iterable[int]) -> list[int]:
    """Return places without the retries that were throttled: the clause of the first throttle sums them up."""
    return [place for place in places if not (isinstance(e := story.event(place), Throttled) and e.attempt > 1)]


def with_news(story: Slice, places: Iterable[int]) -> list[int]:
    """Return places without the retries that tell nothing new: of other messages, or kept out by the same as before."""
    kept: list[int] = []
    last: dict[tuple[int, ...], tuple[int, ...]] = {}
    for place in places:
        event = story.event(place)
        if isinstance(event, Throttled):
            running = story.running(place)
            known = event.attempt > 1 and last.get(event.messages) == running
            last[event.messages] = running
            if known or (event.attempt > 1 and not story.concerns(place)):
                continue
        kept.append(place)
    return kept


def throttled_text(clause: Clause, story: Slice, voice: Voice, *, busy: bool, retries: bool) -> str:
    """Tell a throttle and why; with `busy` also who occupied the executions, with `retries` what became of those."""
    first = clause.all(Throttled)[0]
    again = " again" if first.attempt > 1 else ""
    running = _running(story, clause.places) if busy else []
    why = f"{limit_text(first)}{f': {busy_text(running)}' if running else ''}"
    text = f"{voice.of(clause.messages)} {verb(clause.messages, 'are')} throttled{again} ({why})"
    return text + (retries_text(clause.places, clause.messages, story, running) if retries else "")


def retries_text(places: Sequence[int], messages: Sequence[int], story: Slice, known: Sequence[int] | None) -> str:
    """Tell how often batches were tried again in vain after these throttles, and who else ran but those `known`."""
    found = [_delivery(story, message, place) for place in places for message in messages]
    each = [[place for place in delivery.throttles[1:] if place <= story.end] for delivery in found if delivery]
    retries = list(dict.fromkeys(place for places in each for place in places))
    if not retries:
        return ""
    counts = list(dict.fromkeys(len(places) for places in each))
    times = f"{counted(counts[0], 'time')} more" if len(counts) == 1 else "again"
    others = [] if known is None else [message for message in _running(story, retries) if message not in known]
    run = f" ({busy_text(others, 'other')})" if others else ""
    return f", and {times} until {moment_text(story.event(max(retries)).at)}{run}"


def _delivery(story: Slice, message: int, throttle: int) -> Delivery | None:
    known = story.history.deliveries.get(message, ())
    return next((delivery for delivery in known if throttle in delivery.throttles), None)


def _running(story: Slice, throttles: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(message for place in throttles for message in story.running(place)))


def throttles_before(event: Returned, story: Slice) -> int:
    """Return how often Lambda threw a delivery back whose visibility ends."""
    known = story.history.deliveries.get(event.message, ())
    throttles = [place for delivery in known if delivery.received == event.cause for place in delivery.throttles]
    return sum(story.event(place).at <= event.at for place in throttles)


def waiting_text(story: Slice, clauses: Sequence[Clause], voice: Voice) -> str:
    """Where executions become free, tell which messages concerned miss that because their retry is not due yet."""
    freed = [place for clause in clauses if clause.all(InvocationEnded) for place in clause.places]
    present = [message for clause in clauses for message in clause.messages]
    absent = [message for message in story.focus if message not in present] if freed else []
    waiting = [(message, due) for message in absent for due in _next_tries(story, message, freed[0])]
    if not waiting:
        return ""
    messages, dues = [message for message, _ in waiting], list(dict.fromkeys(due for _, due in waiting))
    words = f"{voice.of(messages)} {verb(messages, 'wait')} for {'its' if len(messages) == 1 else 'their'} next "
    due = dues[0] if len(dues) == 1 else None
    return words + ("retry" if due is None else f"retry at {moment_text(due)}")


def _next_tries(story: Slice, message: int, place: int) -> Iterator[int | None]:
    """Yield when a batch is tried next that was throttled before a place and is still held then; None for never."""
    for delivery in story.history.deliveries.get(message, []):
        tries = [place for place in story.places if _is_try(story, place, delivery)]
        before, after = [p for p in tries if p < place], [p for p in tries if p > place]
        over = delivery.ended is not None and delivery.ended < place
        if before and isinstance(story.event(before[-1]), Throttled) and not over:
            yield story.event(after[0]).at if after else None


def _is_try(story: Slice, place: int, delivery: Delivery) -> bool:
    event = story.event(place)
    return event.cause == delivery.received and isinstance(event, Throttled | InvocationStarted)


def told_elsewhere(released: Released, clauses: Sequence[Clause]) -> bool:
    """Tell whether the end of the visibility of the same messages is told at the same moment, which says enough."""
    returned = [message for clause in clauses if clause.all(Returned) for message in clause.messages]
    return released.why == "throttled" and any(message in returned for message in released.messages)

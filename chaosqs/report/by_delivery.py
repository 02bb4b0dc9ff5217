"""The shortest telling: one message, delivery by delivery; deliveries that end alike are told once and counted."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from chaosqs.model.delivery import Delivery, Ending
from chaosqs.model.event import DeadLettered, Expired, InvocationStarted, Received, Released
from chaosqs.report.clause import Clause
from chaosqs.report.phrases import said
from chaosqs.report.slice import Slice
from chaosqs.report.step import Step
from chaosqs.report.words import Voice

_FOLDED = 4


def delivery_steps(story: Slice) -> list[Step]:
    """Return the deliveries of the first message concerned, and how it left each queue; empty where it has none."""
    if not story.focus:
        return []
    message = story.focus[0]
    known = [d for d in story.history.deliveries.get(message, ()) if d.received <= story.end]
    steps = [step for _, alike in groupby(known, key=lambda d: _kind(d, story)) for step in _folded(list(alike), story)]
    steps += [_told(story, [place]) for place in story.places if _leaves(story, place, message)]
    return [*steps, *_others(story)] if known else []


def _leaves(story: Slice, place: int, message: int) -> bool:
    event = story.event(place)
    return isinstance(event, DeadLettered | Expired) and event.message == message


def _others(story: Slice) -> list[Step]:
    if len(story.focus) == 1:
        return []
    return [Step(None, f"(so far message {story.focus[0] + 1:,}, one of the {len(story.focus):,} messages concerned)")]


def _kind(delivery: Delivery, story: Slice) -> tuple[str, str, str, bool]:
    """Return what deliveries must share to be told as the same; of a fault only its kind counts."""
    over = delivery.ended is not None and delivery.ended <= story.end
    fault = delivery.fault.split(" ")[0]
    return delivery.queue, delivery.ending if over else Ending.OPEN, fault, bool(delivery.throttles)


def _folded(alike: Sequence[Delivery], story: Slice) -> list[Step]:
    if len(alike) < _FOLDED:
        return [_step(delivery, story) for delivery in alike]
    between = Step(None, f"… the same {len(alike) - 2:,} times more")
    return [_step(alike[0], story), between, _step(alike[-1], story)]


def _step(delivery: Delivery, story: Slice) -> Step:
    places = [delivery.received, *delivery.throttles[:1], *_run(delivery, story)]
    step = _told(story, [place for place in places if place <= story.end])
    count = Voice(story.history.scenario).count(delivery.queue, delivery.receive_count)
    return Step(step.at, f"{step.text}; {count}")


def _run(delivery: Delivery, story: Slice) -> list[int]:
    """Return the place where the function was done with a delivery; where it was not, the one where it began."""
    if delivery.ended is not None and delivery.ended <= story.end:
        return [] if isinstance(story.event(delivery.ended), Released | Received) else [delivery.ended]
    own = [place for place in story.places if story.event(place).cause == delivery.received]
    return [place for place in own if isinstance(story.event(place), InvocationStarted)][:1]


def _told(story: Slice, places: Sequence[int]) -> Step:
    clauses = [Clause((place,), (story.event(place),)) for place in places]
    return Step(clauses[0].events[0].at, said(story, clauses, summed=True))

"""A causal slice as a timeline of a few steps in plain English.

The same events are told in more or less detail, and the first telling that is short enough wins: with all that stood
in the way, then of the messages concerned alone, then delivery by delivery. What is left out is said to be left out.
"""

from __future__ import annotations

from collections.abc import Sequence

from chaosqs.model.counterexample import Counterexample
from chaosqs.model.event import Sent
from chaosqs.model.history import History
from chaosqs.report.by_delivery import delivery_steps
from chaosqs.report.moments import moments
from chaosqs.report.phrases import said
from chaosqs.report.slice import Slice, causal_slice
from chaosqs.report.step import Step, moment_text
from chaosqs.report.text import counted, named
from chaosqs.report.throttling import with_news, without_retries
from chaosqs.report.words import name_text, verb

MOST_STEPS = 10
_NEAR = 5_000
_ARRIVALS = 3
_FOLLOWED = 3
"""Messages that a reader can follow at once."""
_REPETITIVE = 3
"""Steps that folding must save to be worth what it hides."""


def narrate(counterexample: Counterexample, history: History, most: int = MOST_STEPS) -> tuple[Step, ...]:
    """Return the steps that led to the violation, in order; at most `most`, which is at least 5."""
    story = causal_slice(history, counterexample.violation)
    shortest = _finished(story, _by_delivery(story))
    folded = any(step.at is None for step in shortest)
    for telling in (_everything, _concerned) if len(story.focus) <= _FOLLOWED else ():
        steps = _finished(story, telling(story))
        repetitive = folded and len(steps) >= len(shortest) + _REPETITIVE
        if len(steps) <= most and not repetitive:
            return tuple(steps)
    return tuple(_cut(shortest, most))


def _finished(story: Slice, steps: Sequence[Step]) -> list[Step]:
    return [*_arrivals(story, steps), *_closing(story)]


def _everything(story: Slice) -> list[Step]:
    return _told(story, with_news(story, story.places), summed=False)


def _concerned(story: Slice) -> list[Step]:
    own = [place for place in story.places if story.concerns(place)]
    return _told(story, without_retries(story, own), summed=True)


def _by_delivery(story: Slice) -> list[Step]:
    return delivery_steps(story) or _concerned(story)


def _told(story: Slice, places: Sequence[int], *, summed: bool) -> list[Step]:
    chosen = [place for place in places if not isinstance(story.event(place), Sent)]
    steps = [Step(at, said(story, clauses, summed=summed)) for at, clauses in moments(story, chosen)]
    return [step for step in steps if step.text]


def _arrivals(story: Slice, steps: Sequence[Step]) -> list[Step]:
    """Put the arrivals in front of the steps of their moment: all in the queues of the story, for the load counts."""
    waiting, merged = _arrival_steps(story), list[Step]()
    for step in steps:
        while waiting and step.at is not None and (waiting[0].at or 0) <= step.at:
            merged.append(waiting.pop(0))
        merged.append(step)
    return [*merged, *waiting]


def _arrival_steps(story: Slice) -> list[Step]:
    sent = [event for event in story.history.events[: story.end + 1] if isinstance(event, Sent)]
    own = [event.queue for place in story.places if isinstance(event := story.event(place), Sent)]
    steps: list[Step] = []
    for queue in dict.fromkeys(own):
        groups = _bursts([event for event in sent if event.queue == queue])
        steps += [_arrival(queue, group) for group in groups]
    return sorted(steps, key=lambda step: step.at or 0)


def _bursts(sent: Sequence[Sent]) -> list[list[Sent]]:
    """Return what was sent without a longer pause; all at once where that makes too many bursts."""
    groups: list[list[Sent]] = []
    for event in sent:
        if groups and event.at - groups[-1][-1].at <= _NEAR:
            groups[-1].append(event)
        else:
            groups.append([event])
    return groups if len(groups) <= _ARRIVALS else [list(sent)]


def _arrival(queue: str, sent: Sequence[Sent]) -> Step:
    messages = [event.message for event in sent]
    until = f" until {moment_text(sent[-1].at)}" if sent[-1].at > sent[0].at else ""
    return Step(sent[0].at, f"{named(messages)} {verb(messages, 'arrive')} in {name_text(queue)}{until}")


def _closing(story: Slice) -> list[Step]:
    """Where the violation is no event but a state at some moment, say so."""
    if story.violation.events:
        return []
    over = story.violation.at >= story.history.ended_at
    return [Step(story.violation.at, "the run ends" if over else "from now on the promise is broken")]


def _cut(steps: Sequence[Step], most: int) -> list[Step]:
    """Leave the middle out where the story is too long, and say so."""
    if len(steps) <= most:
        return list(steps)
    head, tail = (most - 1) // 2, most // 2
    left_out = Step(None, f"… {counted(len(steps) - head - tail, 'more step')} left out")
    return [*steps[:head], left_out, *steps[len(steps) - tail :]]

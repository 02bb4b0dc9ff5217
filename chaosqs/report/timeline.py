"""Describes a causal slice as a timeline of a few steps in plain English.

There are three levels of detail, and the most detailed one that is short enough is used: all events of the slice,
those of the messages concerned, or one step for each delivery of one message. Remarks tell of omitted steps.
"""

from collections.abc import Sequence
from itertools import groupby

from chaosqs.model.causal_slice import Slice, causal_slice
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.delivery import Delivery, Ending
from chaosqs.model.events import DeadLettered, Expired, InvocationStarted, Received, Released, Sent
from chaosqs.model.history import History
from chaosqs.report.descriptions import EventGroup
from chaosqs.report.event_text import Step, event_moments, said, with_news
from chaosqs.report.text import Wording, counted, name_text, named, time_text, verb

# The shortest timeline: one step for each delivery of one message, similar deliveries folded --------------------------

_MIN_FOLDED = 4  # minimum successive similar deliveries that are folded to the first and the last


def delivery_steps(story: Slice) -> list[Step]:
    """Return steps for each delivery of the first message concerned and its end; empty if it has no delivery."""
    if not story.focus:
        return []
    message = story.focus[0]
    known = [d for d in story.history.deliveries.get(message, ()) if d.received <= story.end]
    steps = [step for _, alike in groupby(known, key=lambda d: _kind(d, story)) for step in _folded(list(alike), story)]
    steps += [_step_of(story, [index]) for index in story.indexes if _leaves(story, index, message)]
    return [*steps, *_others(story)] if known else []


def _leaves(story: Slice, index: int, message: int) -> bool:
    event = story.event(index)
    return isinstance(event, DeadLettered | Expired) and event.message == message


def _others(story: Slice) -> list[Step]:
    if len(story.focus) == 1:
        return []
    return [Step(None, f"(so far message {story.focus[0] + 1:,}, one of the {len(story.focus):,} messages concerned)")]


def _kind(delivery: Delivery, story: Slice) -> tuple[str, str, str, bool]:
    """Return the key of similar deliveries: queue, ending, kind of fault, and True if throttled."""
    over = delivery.ended is not None and delivery.ended <= story.end
    fault = delivery.fault.split(" ")[0]
    return delivery.queue, delivery.ending if over else Ending.OPEN, fault, bool(delivery.throttles)


def _folded(alike: Sequence[Delivery], story: Slice) -> list[Step]:
    if len(alike) < _MIN_FOLDED:
        return [_step(delivery, story) for delivery in alike]
    between = Step(None, f"… the same {len(alike) - 2:,} times more")
    return [_step(alike[0], story), between, _step(alike[-1], story)]


def _step(delivery: Delivery, story: Slice) -> Step:
    indexes = [delivery.received, *delivery.throttles[:1], *_run(delivery, story)]
    step = _step_of(story, [index for index in indexes if index <= story.end])
    count = Wording(story.history.scenario).count(delivery.queue, delivery.receive_count)
    return Step(step.at, f"{step.text}; {count}")


def _run(delivery: Delivery, story: Slice) -> list[int]:
    """Return the index of the end of a delivery's invocation, or, if it has not ended, of its start; else nothing."""
    if delivery.ended is not None and delivery.ended <= story.end:
        return [] if isinstance(story.event(delivery.ended), Released | Received) else [delivery.ended]
    own = [index for index in story.indexes if story.event(index).cause == delivery.received]
    return [index for index in own if isinstance(story.event(index), InvocationStarted)][:1]


def _step_of(story: Slice, indexes: Sequence[int]) -> Step:
    groups = [EventGroup((index,), (story.event(index),)) for index in indexes]
    return Step(groups[0].events[0].at, said(story, groups, summed=True))


# The timeline --------------------------------------------------------------------------------------------------------

MOST_STEPS = 10
_BURST_GAP = 5_000  # maximum milliseconds between two sends of one burst
_MAX_BURSTS = 3  # maximum bursts of a queue that are steps of their own; more become one step
_MAX_FOLLOWED = 3  # maximum messages concerned for the more detailed timelines: a reader cannot follow more
_MIN_SAVED = 3  # minimum steps that folding must save to be preferred


def narrate(counterexample: Counterexample, history: History, most: int = MOST_STEPS) -> tuple[Step, ...]:
    """Return the steps that led to the violation, in order; at most `most`, which must be 5 or more."""
    story = causal_slice(history, counterexample.violation)
    shortest = _finished(story, _by_delivery(story))
    folded = any(step.at is None for step in shortest)
    for detailed in (_everything, _concerned) if len(story.focus) <= _MAX_FOLLOWED else ():
        steps = _finished(story, detailed(story))
        repetitive = folded and len(steps) >= len(shortest) + _MIN_SAVED
        if len(steps) <= most and not repetitive:
            return tuple(steps)
    return tuple(_cut(shortest, most))


def _finished(story: Slice, steps: Sequence[Step]) -> list[Step]:
    return [*_arrivals(story, steps), *_closing(story)]


def _everything(story: Slice) -> list[Step]:
    return _steps(story, with_news(story, story.indexes), summed=False)


def _concerned(story: Slice) -> list[Step]:
    own = [index for index in story.indexes if story.concerns(index)]
    return _steps(story, story.without_retries(own), summed=True)


def _by_delivery(story: Slice) -> list[Step]:
    return delivery_steps(story) or _concerned(story)


def _steps(story: Slice, indexes: Sequence[int], *, summed: bool) -> list[Step]:
    chosen = [index for index in indexes if not isinstance(story.event(index), Sent)]
    steps = [Step(at, said(story, groups, summed=summed)) for at, groups in event_moments(story, chosen)]
    return [step for step in steps if step.text]


def _arrivals(story: Slice, steps: Sequence[Step]) -> list[Step]:
    """Insert all arrivals in the story's queues before the steps of the same time: the whole load matters."""
    waiting, merged = _arrival_steps(story), list[Step]()
    for step in steps:
        while waiting and step.at is not None and (waiting[0].at or 0) <= step.at:
            merged.append(waiting.pop(0))
        merged.append(step)
    return [*merged, *waiting]


def _arrival_steps(story: Slice) -> list[Step]:
    sent = [event for event in story.history.events[: story.end + 1] if isinstance(event, Sent)]
    own = [event.queue for index in story.indexes if isinstance(event := story.event(index), Sent)]
    steps: list[Step] = []
    for queue in dict.fromkeys(own):
        groups = _bursts([event for event in sent if event.queue == queue])
        steps += [_arrival(queue, group) for group in groups]
    return sorted(steps, key=lambda step: step.at or 0)


def _bursts(sent: Sequence[Sent]) -> list[list[Sent]]:
    """Return the sends as bursts; all as one if there would be too many."""
    groups: list[list[Sent]] = []
    for event in sent:
        if groups and event.at - groups[-1][-1].at <= _BURST_GAP:
            groups[-1].append(event)
        else:
            groups.append([event])
    return groups if len(groups) <= _MAX_BURSTS else [list(sent)]


def _arrival(queue: str, sent: Sequence[Sent]) -> Step:
    messages = [event.message for event in sent]
    until = f" until {time_text(sent[-1].at)}" if sent[-1].at > sent[0].at else ""
    return Step(sent[0].at, f"{named(messages)} {verb(messages, 'arrive')} in {name_text(queue)}{until}")


def _closing(story: Slice) -> list[Step]:
    """Return a last step for a violation that is a state at some time, not an event."""
    if story.violation.events:
        return []
    over = story.violation.at >= story.history.ended_at_ms
    return [Step(story.violation.at, "the run ends" if over else "from now on the invariant is violated")]


def _cut(steps: Sequence[Step], most: int) -> list[Step]:
    """Replace the middle by a remark if there are more than `most` steps."""
    if len(steps) <= most:
        return list(steps)
    head, tail = (most - 1) // 2, most // 2
    left_out = Step(None, f"… {counted(len(steps) - head - tail, 'more step')} left out")
    return [*steps[:head], left_out, *steps[len(steps) - tail :]]

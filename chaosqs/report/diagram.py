"""Draws a causal slice as a Mermaid sequence diagram: at most 60 arrows, with a note about omitted ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from chaosqs.model.causal_slice import Slice, messages_of
from chaosqs.model.events import (
    DeadLettered,
    Deleted,
    Effect,
    Event,
    Expired,
    FilteredOut,
    Held,
    InvocationEnded,
    InvocationStarted,
    PointPassed,
    Received,
    Released,
    Returned,
    SendFailed,
    Sent,
    ServiceFailed,
    Throttled,
)
from chaosqs.report.event_groups import time_text
from chaosqs.report.event_text import effect_text, retries_text
from chaosqs.report.text import counted, fault_text, limit_text, mapping_text, mermaid, name_text, named, numbers

# Participants: producer, queues, pollers, functions, dead-letter queues ----------------------------------------------

_MAX_SINGLE_POLLERS = 5  # maximum pollers of a mapping that are participants of their own; more share one participant


@attrs.define
class Actors:
    """The participants of one diagram, with generated names, so that no user's name is read as syntax."""

    story: Slice
    pollers: dict[str, tuple[int, ...]]
    """Pollers in the diagram, by mapping."""
    poller_of: dict[int, int]
    """The poller of each invocation."""
    labels: dict[tuple[str, ...], tuple[str, str]] = attrs.field(factory=dict[tuple[str, ...], tuple[str, str]])
    """Name and label of each participant, in order of first appearance."""

    @classmethod
    def of(cls, story: Slice, indexes: Sequence[int]) -> Actors:
        """Return the participants of some events of a slice."""
        events = [story.event(index) for index in indexes]
        pollers: dict[str, tuple[int, ...]] = {}
        for event in events:
            if isinstance(event, Received | Throttled | InvocationStarted | Released | ServiceFailed):
                known = pollers.get(event.mapping, ())
                pollers[event.mapping] = known if event.poller in known else (*known, event.poller)
        started = [event for event in story.history.events if isinstance(event, InvocationStarted)]
        return cls(story, pollers, {event.invocation: event.poller for event in started})

    def producer(self) -> str:
        """Return the participant that sends messages."""
        return self._known(("0", ""), "producer")

    def queue(self, name: str) -> str:
        """Return the participant of a queue; queues that no mapping polls come last."""
        polled = any(mapping.queue == name for mapping in self.story.history.scenario.design.mappings)
        return self._known(("1" if polled else "4", name), name_text(name))

    def poller(self, mapping: str, number: int | None) -> str:
        """Return the participant of a poller: its own, or that of all pollers of its mapping if there are many."""
        known = self.pollers.get(mapping, ())
        single = number is not None and len(known) <= _MAX_SINGLE_POLLERS
        of = f" of {mapping_text(mapping)}" if len(self.pollers) > 1 else ""
        if single:
            return self._known(("2", mapping, f"{number:09}"), f"poller {number}{of}")
        return self._known(("2", mapping), f"pollers of {mapping_text(mapping)}")

    def function(self, name: str) -> str:
        """Return the participant of a function."""
        return self._known(("3", name), name_text(name))

    def poller_of_event(self, event: InvocationEnded | Deleted) -> str:
        """Return the participant of the poller that waited for an invocation: all of its mapping if it is unknown."""
        cause = None if event.cause is None else self.story.event(event.cause)
        if isinstance(event, InvocationEnded):
            number = self.poller_of.get(event.invocation)
        elif isinstance(cause, InvocationEnded):
            number = self.poller_of.get(cause.invocation)
        else:
            number = cause.poller if isinstance(cause, Received) else None
        return self.poller(event.mapping, number)

    def declarations(self) -> Iterable[str]:
        """Yield a line for each participant in use, from the producer to the dead-letter queues."""
        for _, (name, label) in sorted(self.labels.items(), key=_rank):
            yield f"    participant {name} as {mermaid(label)}"

    def _known(self, key: tuple[str, ...], label: str) -> str:
        if key not in self.labels:
            self.labels[key] = f"p{len(self.labels)}", label
        return self.labels[key][0]


def _rank(entry: tuple[tuple[str, ...], tuple[str, str]]) -> tuple[str, ...]:
    """Return the sort key of a participant: by kind, and pollers also by mapping and number."""
    key, _ = entry
    return key if key[0] == "2" else key[:1]


# Arrows --------------------------------------------------------------------------------------------------------------

MOST_ARROWS = 60
_JOIN_WITHIN = 500  # milliseconds within which equal events of different messages are joined into one arrow


@attrs.frozen
class Arrow:
    """One line of the diagram: an arrow from one participant to another, or a note over one participant."""

    at: int
    source: str
    line: str
    """Mermaid's arrow; empty for a note."""
    target: str
    before: str
    messages: tuple[int, ...]
    after: str
    events: int = 1
    """Number of events of the history that the arrow shows."""

    def text(self) -> str:
        """Return the line in Mermaid's syntax."""
        messages = named(self.messages) if self.messages else ""
        label = mermaid(f"{time_text(self.at)}  {self.before}{messages}{self.after}")
        return (
            f"    {self.source}{self.line}{self.target}: {label}"
            if self.line
            else f"    Note over {self.source}: {label}"
        )

    def joined(self, other: Arrow) -> Arrow | None:
        """Return one arrow for both if they differ only in their messages and are near in time, else None."""
        same = attrs.evolve(other, at=self.at, messages=self.messages, events=self.events) == self
        if not same or other.at - self.at > _JOIN_WITHIN:
            return None
        return attrs.evolve(self, messages=(*self.messages, *other.messages), events=self.events + other.events)


def sequence(story: Slice) -> str:
    """Return the diagram of the whole slice, or, if that is too long, of the messages concerned."""
    whole = story.without_retries(story.indexes)
    actors, arrows = _drawn(story, whole)
    if len(arrows) > MOST_ARROWS:
        actors, arrows = _drawn(story, [index for index in whole if story.concerns(index)])
    left, right = arrows, list[Arrow]()
    omitted: list[str] = []
    if len(arrows) > MOST_ARROWS:
        left, right = arrows[: MOST_ARROWS // 2], arrows[-(MOST_ARROWS // 2 - 1) :]
        count = sum(arrow.events for arrow in arrows[len(left) : -len(right)])
        words = mermaid(f"… {counted(count, 'event')} omitted")
        omitted = [f"    Note over {left[-1].source}: {words}"]
    lines = [*(arrow.text() for arrow in left), *omitted, *(arrow.text() for arrow in right)]
    return "\n".join(["sequenceDiagram", *actors.declarations(), *lines])


def _drawn(story: Slice, indexes: Sequence[int]) -> tuple[Actors, list[Arrow]]:
    actors, arrows = Actors.of(story, indexes), list[Arrow]()
    for index in indexes:
        arrow = _arrow(story.event(index), index, story, actors)
        joined = arrows[-1].joined(arrow) if arrows and arrow else None
        if joined:
            arrows[-1] = joined
        elif arrow:
            arrows.append(arrow)
    return actors, arrows


def _arrow(event: Event, index: int, story: Slice, actors: Actors) -> Arrow | None:  # noqa: C901, PLR0911 - one case a kind
    messages = messages_of(event)
    match event:
        case Sent():
            after = "" if event.copy_of is None else f", a copy of message {event.copy_of + 1:,}"
            after += fault_text(event.fault)
            return Arrow(event.at, actors.producer(), "->>", actors.queue(event.queue), "", messages, after)
        case SendFailed():
            why = fault_text(event.fault)
            return Arrow(event.at, actors.producer(), "-x", actors.queue(event.queue), "", messages, why)
        case Received():
            poller = actors.poller(event.mapping, event.poller)
            again = " again" if min(event.receive_counts, default=1) > 1 else ""
            line = "-x" if event.lost else "->>"
            return Arrow(
                event.at, actors.queue(event.queue), line, poller, "", messages, again + fault_text(event.fault)
            )
        case Throttled():
            poller = actors.poller(event.mapping, event.poller)
            why = f", {limit_text(event).removeprefix('429, ')}{retries_text([index], messages, story, None)}"
            return Arrow(event.at, actors.function(event.function), "--x", poller, "429 for ", messages, why)
        case ServiceFailed():
            poller = actors.poller(event.mapping, event.poller)
            why = fault_text(event.fault)
            return Arrow(event.at, actors.function(event.function), "--x", poller, "service error for ", messages, why)
        case InvocationStarted():
            poller = actors.poller(event.mapping, event.poller)
            cold = fault_text(event.fault)
            return Arrow(event.at, poller, "->>", actors.function(event.function), "run ", messages, cold)
        case InvocationEnded():
            return _ended(event, actors)
        case Deleted():
            return _deleted(event, actors)
        case DeadLettered():
            count = f", received {counted(event.receive_count, 'time')}"
            return Arrow(event.at, actors.queue(event.queue), "->>", actors.queue(event.target), "", messages, count)
        case Returned() | FilteredOut() | Expired() | Released() | Held() | Effect() | PointPassed():
            return _note(event, actors)
        case _:
            return None


def _note(  # noqa: C901, PLR0911 - one case a kind
    event: Returned | FilteredOut | Expired | Released | Held | Effect | PointPassed, actors: Actors
) -> Arrow | None:
    """Return a note over one participant; None where it would say nothing new."""

    def note(over: str, before: str, after: str, messages: tuple[int, ...] = messages_of(event)) -> Arrow:
        return Arrow(event.at, over, "", "", before, messages, after)

    match event:
        case Returned():
            return note(actors.queue(event.queue), "visibility of ", fault_text(event.fault) or " ends")
        case FilteredOut():
            return note(actors.queue(event.queue), "filtered out: ", "")
        case Expired():
            return note(actors.queue(event.queue), "retention of ", " ends")
        case Released(why="throttled"):
            return note(actors.poller(event.mapping, event.poller), "gives up ", "")
        case Released(why="restarted"):
            return note(actors.poller(event.mapping, event.poller), "forgets ", fault_text(event.fault))
        case Held():
            until = f" until {time_text(event.until)}{fault_text(event.fault)}"
            return note(actors.poller(event.mapping, event.poller), "holds ", until)
        case Effect():
            return note(actors.function(event.function), effect_text(event), "", ())
        case PointPassed() if event.fault:
            return note(actors.function(event.function), f"fails at {event.point}", "", ())
        case Released() | PointPassed():
            return None


def _ended(event: InvocationEnded, actors: Actors) -> Arrow:
    failed = f", {numbers(event.failed)} reported as failed" if event.failed else ""
    before, line = {
        "succeeded": ("done with ", "-->>"),
        "raised": ("error on ", "--x"),
        "timed_out": ("timeout of ", "--x"),
        "crashed": ("crash with ", "--x"),
    }.get(event.outcome, (f"{event.outcome} ", "--x"))
    after = f"{failed}{'' if event.answered else ', nobody gets the answer'}{fault_text(event.fault)}"
    line = line if event.answered else "--x"
    return Arrow(
        event.at, actors.function(event.function), line, actors.poller_of_event(event), before, event.messages, after
    )


def _deleted(event: Deleted, actors: Actors) -> Arrow:
    source, target = actors.poller_of_event(event), actors.queue(event.queue)
    stayed = f", no effect on {numbers(event.stayed)}" if event.stayed and not event.fault else ""
    line = "-x" if event.stayed or event.fault else "->>"
    return Arrow(event.at, source, line, target, "delete ", event.messages, stayed + fault_text(event.fault))

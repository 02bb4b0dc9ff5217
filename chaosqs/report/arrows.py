"""The parts of a sequence diagram: its participants, arrows and notes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from chaosqs.model.causal_slice import Slice, messages_of
from chaosqs.model.events import (
    Deleted,
    InvocationEnded,
    InvocationStarted,
    Received,
    Released,
    ServiceFailed,
    Throttled,
)
from chaosqs.report.text import mapping_text, mermaid, name_text, named, time_text

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

    def declarations(self) -> Iterable[str]:
        """Yield a line for each participant in use, from the producer to the dead-letter queues."""
        for _, (name, label) in sorted(self.labels.items(), key=_rank):
            yield f"    participant {name} as {mermaid(label)}"

    def known(self, key: tuple[str, ...], label: str) -> str:
        """Return the name of a participant, a new one if it appears for the first time."""
        if key not in self.labels:
            self.labels[key] = f"p{len(self.labels)}", label
        return self.labels[key][0]


def _rank(entry: tuple[tuple[str, ...], tuple[str, str]]) -> tuple[str, ...]:
    """Return the sort key of a participant: by kind, and pollers also by mapping and number."""
    key, _ = entry
    return key if key[0] == "2" else key[:1]


# Arrows --------------------------------------------------------------------------------------------------------------

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


@attrs.frozen
class Drawing:
    """Draws one event: the participants by name, and the arrow or note with the time and messages of the event."""

    actors: Actors
    index: int

    def producer(self) -> str:
        """Return the participant that sends messages."""
        return self.actors.known(("0", ""), "producer")

    def queue(self, name: str) -> str:
        """Return the participant of a queue; queues that no mapping polls come last."""
        polled = any(mapping.queue == name for mapping in self.actors.story.history.scenario.design.mappings)
        return self.actors.known(("1" if polled else "4", name), name_text(name))

    def poller(self, mapping: str, number: int | None) -> str:
        """Return the participant of a poller: its own, or that of all pollers of its mapping if there are many."""
        known = self.actors.pollers.get(mapping, ())
        single = number is not None and len(known) <= _MAX_SINGLE_POLLERS
        of = f" of {mapping_text(mapping)}" if len(self.actors.pollers) > 1 else ""
        if single:
            return self.actors.known(("2", mapping, f"{number:09}"), f"poller {number}{of}")
        return self.actors.known(("2", mapping), f"pollers of {mapping_text(mapping)}")

    def function(self, name: str) -> str:
        """Return the participant of a function."""
        return self.actors.known(("3", name), name_text(name))

    def poller_of_event(self, event: InvocationEnded | Deleted) -> str:
        """Return the participant of the poller that waited for an invocation: all of its mapping if it is unknown."""
        cause = None if event.cause is None else self.actors.story.event(event.cause)
        if isinstance(event, InvocationEnded):
            number = self.actors.poller_of.get(event.invocation)
        elif isinstance(cause, InvocationEnded):
            number = self.actors.poller_of.get(cause.invocation)
        else:
            number = cause.poller if isinstance(cause, Received) else None
        return self.poller(event.mapping, number)

    def arrow(self, source: str, line: str, target: str, after: str, *, before: str = "") -> Arrow:
        """Return an arrow between two participants; its label names the messages between `before` and `after`."""
        event = self.actors.story.event(self.index)
        return Arrow(event.at, source, line, target, before, messages_of(event), after)

    def note(self, over: str, before: str, after: str = "") -> Arrow:
        """Return a note over a participant, with the messages between `before` and `after`."""
        return self.arrow(over, "", "", after, before=before)

    def remark(self, over: str, text: str) -> Arrow:
        """Return a note over a participant that names no messages."""
        return attrs.evolve(self.note(over, text), messages=())

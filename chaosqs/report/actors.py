"""Who takes part in a sequence diagram: producer, queues, pollers, functions, dead-letter queues."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import attrs

from chaosqs.model.event import (
    Deleted,
    InvocationEnded,
    InvocationStarted,
    Received,
    Released,
    ServiceFailed,
    Throttled,
)
from chaosqs.report.escape import mermaid
from chaosqs.report.slice import Slice
from chaosqs.report.words import mapping_text, name_text

_EACH = 5
"""Pollers of one mapping up to which each is a participant of its own."""


@attrs.define
class Actors:
    """The participants of one diagram; their names are made here, so that no name of a user is syntax."""

    story: Slice
    pollers: dict[str, tuple[int, ...]]
    """For each mapping, its pollers in the diagram."""
    poller_of: dict[int, int]
    """The poller of each invocation."""
    labels: dict[tuple[str, ...], tuple[str, str]] = attrs.field(factory=dict[tuple[str, ...], tuple[str, str]])
    """For each participant its name and its label, in the order of their first appearance."""

    @classmethod
    def of(cls, story: Slice, places: Sequence[int]) -> Actors:
        """Return the participants of some events of a slice."""
        events = [story.event(place) for place in places]
        pollers: dict[str, tuple[int, ...]] = {}
        for event in events:
            if isinstance(event, Received | Throttled | InvocationStarted | Released | ServiceFailed):
                known = pollers.get(event.mapping, ())
                pollers[event.mapping] = known if event.poller in known else (*known, event.poller)
        started = [event for event in story.history.events if isinstance(event, InvocationStarted)]
        return cls(story, pollers, {event.invocation: event.poller for event in started})

    def producer(self) -> str:
        """Return the participant that sends."""
        return self._known(("0", ""), "producer")

    def queue(self, name: str) -> str:
        """Return the participant of a queue; dead-letter queues that nobody polls come last."""
        polled = any(mapping.queue == name for mapping in self.story.history.scenario.design.mappings)
        return self._known(("1" if polled else "4", name), name_text(name))

    def poller(self, mapping: str, number: int | None) -> str:
        """Return the participant of a poller: its own, or that of all pollers of its mapping where there are many."""
        known = self.pollers.get(mapping, ())
        single = number is not None and len(known) <= _EACH
        of = f" of {mapping_text(mapping)}" if len(self.pollers) > 1 else ""
        if single:
            return self._known(("2", mapping, f"{number:09}"), f"poller {number}{of}")
        return self._known(("2", mapping), f"pollers of {mapping_text(mapping)}")

    def function(self, name: str) -> str:
        """Return the participant of a function."""
        return self._known(("3", name), name_text(name))

    def poller_of_event(self, event: InvocationEnded | Deleted) -> str:
        """Return the participant of the poller that waited for an invocation, as far as that is known."""
        cause = None if event.cause is None else self.story.event(event.cause)
        if isinstance(event, InvocationEnded):
            number = self.poller_of.get(event.invocation)
        elif isinstance(cause, InvocationEnded):
            number = self.poller_of.get(cause.invocation)
        else:
            number = cause.poller if isinstance(cause, Received) else None
        return self.poller(event.mapping, number)

    def declarations(self) -> Iterable[str]:
        """Yield a line for each participant that was used, from the producer to the dead-letter queues."""
        for _, (name, label) in sorted(self.labels.items(), key=_rank):
            yield f"    participant {name} as {mermaid(label)}"

    def _known(self, key: tuple[str, ...], label: str) -> str:
        if key not in self.labels:
            self.labels[key] = f"p{len(self.labels)}", label
        return self.labels[key][0]


def _rank(entry: tuple[tuple[str, ...], tuple[str, str]]) -> tuple[str, ...]:
    """Participants of one kind stay in the order of their appearance, but pollers go by mapping and number."""
    key, _ = entry
    return key if key[0] == "2" else key[:1]

"""A causal slice as a Mermaid sequence diagram: at most 60 arrows, and a word on those left out."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from chaosqs.model.event import (
    DeadLettered,
    Deleted,
    Effect,
    Event,
    Expired,
    FilteredOut,
    Held,
    InvocationEnded,
    InvocationStarted,
    Operated,
    PointPassed,
    PollersChanged,
    Reached,
    Received,
    ReceivedNothing,
    ReceiveFailed,
    Released,
    Returned,
    SendFailed,
    Sent,
    ServiceFailed,
    Throttled,
)
from chaosqs.report.actors import Actors
from chaosqs.report.escape import mermaid
from chaosqs.report.phrases import effect_text
from chaosqs.report.slice import Slice, messages_of
from chaosqs.report.step import moment_text
from chaosqs.report.text import counted, named, numbers
from chaosqs.report.throttling import retries_text, without_retries
from chaosqs.report.words import fault_text, limit_text

MOST_ARROWS = 60
_NEAR = 500


@attrs.frozen
class Arrow:
    """One line of the diagram: from one participant to another, or, without a second one, a note over the first."""

    at: int
    source: str
    line: str
    """Mermaid's arrow; empty for a note."""
    target: str
    before: str
    messages: tuple[int, ...]
    after: str
    events: int = 1
    """How many events of the history it stands for."""

    def text(self) -> str:
        """Return it in Mermaid's syntax."""
        messages = named(self.messages) if self.messages else ""
        label = mermaid(f"{moment_text(self.at)}  {self.before}{messages}{self.after}")
        return (
            f"    {self.source}{self.line}{self.target}: {label}"
            if self.line
            else f"    Note over {self.source}: {label}"
        )

    def joined(self, other: Arrow) -> Arrow | None:
        """Return both as one where they differ in their messages only; None where they do not."""
        same = attrs.evolve(other, at=self.at, messages=self.messages, events=self.events) == self
        if not same or other.at - self.at > _NEAR:
            return None
        return attrs.evolve(self, messages=(*self.messages, *other.messages), events=self.events + other.events)


def sequence(story: Slice) -> str:
    """Return the diagram: of the whole slice where it is short enough, else of the messages concerned."""
    whole = without_retries(story, story.places)
    actors, arrows = _drawn(story, whole)
    if len(arrows) > MOST_ARROWS:
        actors, arrows = _drawn(story, [place for place in whole if story.concerns(place)])
    left, right = arrows, list[Arrow]()
    omitted: list[str] = []
    if len(arrows) > MOST_ARROWS:
        left, right = arrows[: MOST_ARROWS // 2], arrows[-(MOST_ARROWS // 2 - 1) :]
        count = sum(arrow.events for arrow in arrows[len(left) : -len(right)])
        words = mermaid(f"… {counted(count, 'event')} omitted")
        omitted = [f"    Note over {left[-1].source}: {words}"]
    lines = [*(arrow.text() for arrow in left), *omitted, *(arrow.text() for arrow in right)]
    return "\n".join(["sequenceDiagram", *actors.declarations(), *lines])


def _drawn(story: Slice, places: Sequence[int]) -> tuple[Actors, list[Arrow]]:
    actors, arrows = Actors.of(story, places), list[Arrow]()
    for place in places:
        arrow = _arrow(story.event(place), place, story, actors)
        joined = arrows[-1].joined(arrow) if arrows and arrow else None
        if joined:
            arrows[-1] = joined
        elif arrow:
            arrows.append(arrow)
    return actors, arrows


def _arrow(event: Event, place: int, story: Slice, actors: Actors) -> Arrow | None:  # noqa: C901, PLR0911 - one case a kind
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
            why = f", {limit_text(event).removeprefix('429, ')}{retries_text([place], messages, story, None)}"
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
        case PollersChanged() | ReceivedNothing() | ReceiveFailed() | Operated() | Reached():
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
            until = f" until {moment_text(event.until)}{fault_text(event.fault)}"
            return note(actors.poller(event.mapping, event.poller), "holds ", until)
        case Effect():
            return note(actors.function(event.function), effect_text(event), "", ())
        case PointPassed() if event.fault:
            return note(actors.function(event.function), f"fails at {event.site}", "", ())
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

"""Descriptions of the kinds of events in reports: the words, the key by which events are grouped, and the arrow.

Each kind has one entry in `DESCRIPTIONS`. Words are one clause in plain English, from the fields of the events alone.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import attrs

from chaosqs.model.causal_slice import Slice, messages_of
from chaosqs.model.delivery import Delivery
from chaosqs.model.events import (
    DeadLettered,
    Deduplicated,
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
    ServiceCalled,
    ServiceFailed,
    Throttled,
)
from chaosqs.model.time import clock_text
from chaosqs.report.arrows import Arrow, Drawing
from chaosqs.report.text import (
    Wording,
    busy_text,
    counted,
    fault_text,
    limit_text,
    listed,
    mapping_text,
    name_text,
    numbers,
    shown,
    time_text,
    verb,
)

# Groups of events and what is said of them ---------------------------------------------------------------------------

_Kind = TypeVar("_Kind", bound=Event)


@attrs.frozen
class EventGroup:
    """Events of one kind, with their indexes in the history."""

    indexes: tuple[int, ...]
    events: tuple[Event, ...]

    @property
    def messages(self) -> list[int]:
        """The messages of all events, each once, in order of appearance."""
        return list(dict.fromkeys(message for event in self.events for message in messages_of(event)))

    def all(self, kind: type[_Kind]) -> list[_Kind]:
        """Return the events of a type."""
        return [event for event in self.events if isinstance(event, kind)]


@attrs.frozen
class GroupView:
    """A group of events to put into words, with the groups and the story around it."""

    group: EventGroup
    beside: Sequence[EventGroup]
    """All groups of the same moment."""
    story: Slice
    wording: Wording
    summed: bool
    """True if retries are described with the first throttle."""

    def them(self) -> str:
        """Return the words for the messages of the group; they depend on what was named before."""
        return self.wording.of(self.group.messages)

    def they(self, plural: str) -> str:
        """Return the words for the messages as a subject with its verb: `message 1 runs`, `messages 1 and 2 run`."""
        return f"{self.them()} {verb(self.group.messages, plural)}"


@attrs.frozen
class Description:
    """The description of a kind of event in reports. Each function takes an event of that kind, and no other."""

    kind: type[object]
    words: Callable[[GroupView], str]
    """Returns the clause of a group; "" leaves it unsaid."""
    shared: Callable[[Event], tuple[object, ...]]
    """Returns what events of one moment have in common if one clause describes them together."""
    arrow: Callable[[Event, Drawing], Arrow | None]
    """Returns the arrow or note in the diagram; None: not drawn."""


def _of(
    kind: type[_Kind],
    *,
    words: Callable[[_Kind, GroupView], str] = lambda _event, _view: "",
    shared: Callable[[_Kind], tuple[object, ...]] | None = None,
    arrow: Callable[[_Kind, Drawing], Arrow | None] = lambda _event, _draw: None,
) -> Description:
    """Describe a kind of event; by default it is unsaid and not drawn, and shares all its texts."""

    def own(event: Event) -> _Kind:
        assert isinstance(event, kind)
        return event

    return Description(
        kind,
        words=lambda view: words(own(view.group.events[0]), view),
        shared=lambda event: (shared or _texts)(own(event)),
        arrow=lambda event, draw: arrow(own(event), draw),
    )


def _texts(event: Event) -> tuple[str, ...]:
    """Return the text fields of an event."""
    values: list[object] = [getattr(event, field.name) for field in attrs.fields(type(event))]
    return tuple(value for value in values if isinstance(value, str))


# Words and arrows that take more than a line -------------------------------------------------------------------------


def _sent(sent: Sent, view: GroupView) -> str:
    words = f"{view.they('arrive')} in {name_text(sent.queue)}"
    cause = None if sent.cause is None else view.story.event(sent.cause)
    if sent.copy_of is not None and isinstance(cause, Deleted):
        words += f", which was message {sent.copy_of + 1:,} in the dead-letter queue"
    elif sent.copy_of is not None:
        words += f", a copy of message {sent.copy_of + 1:,}: its producer never learned that it had arrived"
    return words + fault_text(sent.fault)


def _received(received: Received, view: GroupView) -> str:
    events = view.group.all(Received)
    pollers = list(dict.fromkeys(event.poller for event in events))
    who = f"poller {pollers[0]:,} receives" if len(pollers) == 1 else f"{len(pollers):,} pollers receive"
    again = " again" if min((count for event in events for count in event.receive_counts), default=1) > 1 else ""
    what = f"{view.wording.noun(view.group.messages)}{again}"
    if received.lost:
        return f"SQS hands out {what}, but the answer gets lost{fault_text(received.fault)}"
    return f"{who} {what}{_each([len(messages_of(event)) for event in events])}{fault_text(received.fault)}"


def _received_arrow(event: Received, draw: Drawing) -> Arrow:
    poller = draw.poller(event.mapping, event.poller)
    line = "-x" if event.lost else "->>"
    return draw.arrow(draw.queue(event.queue), line, poller, _again(event) + fault_text(event.fault))


def _again(event: Received) -> str:
    return " again" if min(event.receive_counts, default=1) > 1 else ""


def _each(sizes: Sequence[int]) -> str:
    if len(sizes) == 1:
        return " in one batch" if sizes[0] > 1 else ""
    if min(sizes) < max(sizes):
        return f", {min(sizes):,} to {max(sizes):,} each"
    return ", one each" if sizes[0] == 1 else f", {sizes[0]:,} each"


def _throttled(first: Throttled, view: GroupView) -> str:
    """Describe a throttle and its reason, with the messages then running unless a clause beside it names them."""
    group, story = view.group, view.story
    started = any(other.all(InvocationStarted) for other in view.beside)
    running = _running(story, group.indexes) if view.summed or not started else []
    why = f"{limit_text(first)}{f': {busy_text(running)}' if running else ''}"
    text = f"{view.they('are')} throttled{' again' if first.attempt > 1 else ''} ({why})"
    return text + (_retries(group.indexes, group.messages, story, running) if view.summed else "")


def _retries(indexes: Sequence[int], messages: Sequence[int], story: Slice, known: Sequence[int] | None) -> str:
    """Describe the throttled retries after these throttles, and the messages that ran, except those in `known`."""
    found = [_delivery(story, message, index) for index in indexes for message in messages]
    each = [[index for index in delivery.throttles[1:] if index <= story.end] for delivery in found if delivery]
    retries = list(dict.fromkeys(index for indexes in each for index in indexes))
    if not retries:
        return ""
    counts = list(dict.fromkeys(len(indexes) for indexes in each))
    times = f"{counted(counts[0], 'time')} more" if len(counts) == 1 else "again"
    others = [] if known is None else [message for message in _running(story, retries) if message not in known]
    run = f" ({busy_text(others, 'other')})" if others else ""
    return f", and {times} until {time_text(story.event(max(retries)).at)}{run}"


def _throttled_arrow(event: Throttled, draw: Drawing) -> Arrow:
    retries = _retries([draw.index], event.messages, draw.actors.story, None)
    return _refused(event, draw, "429 for ", f", {limit_text(event).removeprefix('429, ')}{retries}")


def _refused(event: Throttled | ServiceFailed, draw: Drawing, before: str, after: str) -> Arrow:
    poller = draw.poller(event.mapping, event.poller)
    return draw.arrow(draw.function(event.function), "--x", poller, after, before=before)


def _delivery(story: Slice, message: int, throttle: int) -> Delivery | None:
    known = story.history.deliveries.get(message, ())
    return next((delivery for delivery in known if throttle in delivery.throttles), None)


def _running(story: Slice, throttles: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(message for index in throttles for message in story.running(index)))


def _started(event: InvocationStarted, view: GroupView) -> str:
    several = len(view.story.history.scenario.design.functions) > 1
    where = f" in {name_text(event.function)}" if several else ""
    return f"{view.they('run')}{_before(view.group, view.story)}{where}{fault_text(event.fault)}"


def _before(group: EventGroup, story: Slice) -> str:
    """Return " again" if all messages are concerned and ran before, with a remark if they still run; else ""."""
    earlier = [_still_running(message, group.indexes[0], story) for message in group.messages if message in story.focus]
    if len(earlier) < len(group.messages) or not all(earlier):
        return ""
    still = all(found[-1] for found in earlier)
    return " again while the earlier invocation still goes on" if still else " again"


def _still_running(message: int, index: int, story: Slice) -> list[bool]:
    """Return, for each invocation of a message before an index, True if it is still running."""
    found: dict[int, bool] = {}
    for event in story.history.events[:index]:
        match event:
            case InvocationStarted() if message in event.messages:
                found[event.invocation] = True
            case InvocationEnded() if event.invocation in found:
                found[event.invocation] = False
            case _:
                pass
    return list(found.values())


def _ended(first: InvocationEnded, view: GroupView) -> str:
    function = view.wording.function(first.function)
    batch, events = view.group.messages, view.group.all(InvocationEnded)
    failed = [message for event in events for message in event.failed if message in batch]
    match first.outcome:
        case "succeeded" if failed:
            result = f"{function} reports {view.wording.of(failed)} as failed"
        case "succeeded":
            result = f"{view.they('are')} done"
        case "raised" if first.trace:
            result = f"{function} raises {shown(first.error, 60)} on {view.them()}"
        case "raised":
            result = f"{function} raises an error on {view.them()}"
        case "timed_out":
            result = f"{function} times out on {view.them()} after {clock_text(first.duration)}"
        case _:  # crashed
            result = f"{function} crashes while it runs {view.them()}"
    unheard = "" if first.answered else ", but no poller gets the answer"
    return f"{result}{unheard}{fault_text(first.fault)}"


def _ended_arrow(event: InvocationEnded, draw: Drawing) -> Arrow:
    failed = f", {numbers(event.failed)} reported as failed" if event.failed else ""
    before, line = {
        "succeeded": ("done with ", "-->>"),
        "raised": ("error on ", "--x"),
        "timed_out": ("timeout of ", "--x"),
        "crashed": ("crash with ", "--x"),
    }.get(event.outcome, (f"{event.outcome} ", "--x"))
    after = f"{failed}{'' if event.answered else ', nobody gets the answer'}{fault_text(event.fault)}"
    source, target = draw.function(event.function), draw.poller_of_event(event)
    return draw.arrow(source, line if event.answered else "--x", target, after, before=before)


def _released(released: Released, view: GroupView) -> str:
    match released.why:
        case "throttled" if _is_returned(released, view.beside):
            return ""
        case "throttled":
            return f"the poller gives {view.them()} up, throttled for a whole visibility timeout"
        case "no answer":
            return f"the poller of {view.them()} no longer waits for an answer"
        case "restarted":
            return f"the poller of {view.them()} restarts and forgets its batch{fault_text(released.fault)}"
        case "held back":
            return f"the poller lets {view.them()} go unseen, as an earlier message of the group failed"
        case _:
            return ""


def _is_returned(released: Released, groups: Sequence[EventGroup]) -> bool:
    """Return True if the visibility of the same messages ends in the same moment, which makes a clause redundant."""
    returned = [message for group in groups if group.all(Returned) for message in group.messages]
    return any(message in returned for message in released.messages)


def _released_note(event: Released, draw: Drawing) -> Arrow | None:
    match event.why:
        case "throttled":
            return draw.note(draw.poller(event.mapping, event.poller), "gives up ")
        case "restarted":
            return draw.note(draw.poller(event.mapping, event.poller), "forgets ", fault_text(event.fault))
        case "held back":
            return draw.note(draw.poller(event.mapping, event.poller), "lets go of ")
        case _:
            return None


def _deleted(deleted: Deleted, view: GroupView) -> str:
    events, of = view.group.all(Deleted), view.wording.of
    stayed = [message for event in events for message in event.stayed]
    if deleted.fault and stayed:
        lost = deleted.fault.startswith("lost_delete")
        words = f"the request to delete {of(stayed)} gets lost" if lost else f"deleting {of(stayed)} fails"
        return words + fault_text(deleted.fault)
    if stayed:
        return f"deleting {of(stayed)} has no effect: received again meanwhile"
    unseen = all(event.cause is not None and isinstance(view.story.event(event.cause), Received) for event in events)
    return f"{view.they('are')} deleted{' without an invocation' if unseen else ''}"


def _deleted_arrow(event: Deleted, draw: Drawing) -> Arrow:
    source, target = draw.poller_of_event(event), draw.queue(event.queue)
    stayed = f", no effect on {numbers(event.stayed)}" if event.stayed and not event.fault else ""
    line = "-x" if event.stayed or event.fault else "->>"
    return draw.arrow(source, line, target, stayed + fault_text(event.fault), before="delete ")


def _returned(returned: Returned, view: GroupView) -> str:
    throttles = list(dict.fromkeys(_throttles_before(event, view.story) for event in view.group.all(Returned)))
    after = f" after {counted(throttles[0], 'throttle')}" if len(throttles) == 1 and throttles[0] else ""
    count = view.wording.count(returned.queue, returned.receive_count)
    if returned.fault:
        return f"SQS shows {view.them()} again, which it should not{fault_text(returned.fault)} ({count})"
    return f"visibility of {view.them()} ends{after} ({count})"


def _throttles_before(event: Returned, story: Slice) -> int:
    """Return the number of throttles of the delivery whose visibility ends."""
    known = story.history.deliveries.get(event.message, ())
    throttles = [index for delivery in known if delivery.received == event.cause for index in delivery.throttles]
    return sum(story.event(index).at <= event.at for index in throttles)


def _moved(moved: DeadLettered, view: GroupView) -> str:
    limit = view.wording.maximum(moved.queue)
    over = f"max_receive_count{f' {limit:,}' if limit else ''}"
    return f"a receive finds {view.them()} over {over}: moved to {name_text(moved.target)}"


def _operated(operated: Operated, _view: GroupView) -> str:
    target, fault = mapping_text(operated.target), fault_text(operated.fault)
    match operated.kind:
        case "redeploy":
            return f"{target} is deployed anew{fault}"
        case "purge":
            return f"{target} is purged{fault}"
        case "redrive":
            return f"the messages of {target} are moved back to where they came from{fault}"
        case _:
            return f"{name_text(operated.setting)} of {target} becomes {name_text(operated.value)}{fault}"


def _effect(effect: Effect) -> str:
    """Describe what a handler recorded: `worker records charged (order 7)`."""
    values = ", ".join(f"{name_text(name)} {name_text(str(value))}" for name, value in effect.values)
    return f"{name_text(effect.function)} records {name_text(effect.name)}{f' ({values})' if values else ''}"


_CALLS = {
    "throttled_call": "is throttled",
    "failed_call": "fails",
    "slow_call": "takes up to 5 seconds longer",
    "lost_call_response": "has its effect, but the answer gets lost",
}
"""Effects of the faults of calls, by kind."""


def _service_called(called: ServiceCalled, calls: Sequence[ServiceCalled]) -> str:
    """Describe a call with a fault, or calls of one moment: `worker calls dynamodb PutItem and sns Publish`."""
    if called.fault:
        what = _CALLS.get(called.fault.partition(":")[0], "is struck")
        return f"the call {_call(called)} of {name_text(called.function)} {what}{fault_text(called.fault)}"
    return f"{name_text(called.function)} calls {listed(list(dict.fromkeys(map(_call, calls))))}"


def _call(called: ServiceCalled) -> str:
    answer = f" (answer: {name_text(called.error)})" if called.error and not called.fault else ""
    return name_text(called.what) + answer


# Every kind of event -------------------------------------------------------------------------------------------------

_ENTRIES = (
    _of(
        Sent,
        words=_sent,
        shared=lambda event: (event.queue, event.copy_of, event.fault),
        arrow=lambda event, draw: draw.arrow(
            draw.producer(),
            "->>",
            draw.queue(event.queue),
            ("" if event.copy_of is None else f", a copy of message {event.copy_of + 1:,}") + fault_text(event.fault),
        ),
    ),
    _of(
        SendFailed,
        words=lambda event, view: f"sending {view.them()} to {name_text(event.queue)} fails{fault_text(event.fault)}",
        arrow=lambda event, draw: draw.arrow(draw.producer(), "-x", draw.queue(event.queue), fault_text(event.fault)),
    ),
    _of(
        Deduplicated,
        words=lambda event, view: (
            f"sending {view.them()} to {name_text(event.queue)} adds nothing: the deduplication id is that of message"
            f" {event.first + 1:,}"
        ),
        shared=lambda event: (event.queue, event.first),
        arrow=lambda event, draw: draw.arrow(
            draw.producer(), "-x", draw.queue(event.queue), f", a duplicate of message {event.first + 1:,}"
        ),
    ),
    _of(
        Received,
        words=_received,
        shared=lambda event: (event.mapping, event.fault, _again(event)),
        arrow=_received_arrow,
    ),
    _of(ReceiveFailed),
    _of(ReceivedNothing),
    _of(
        Throttled,
        words=_throttled,
        shared=lambda event: (event.function, event.reason, event.limit, event.fault, event.attempt > 1),
        arrow=_throttled_arrow,
    ),
    _of(
        ServiceFailed,
        words=lambda event, view: (
            f"Lambda answers with a service error instead of running {view.them()}{fault_text(event.fault)}"
        ),
        shared=lambda event: (event.function, event.fault),
        arrow=lambda event, draw: _refused(event, draw, "service error for ", fault_text(event.fault)),
    ),
    _of(
        InvocationStarted,
        words=_started,
        shared=lambda event: (event.function, event.fault),
        arrow=lambda event, draw: draw.arrow(
            draw.poller(event.mapping, event.poller),
            "->>",
            draw.function(event.function),
            fault_text(event.fault),
            before="run ",
        ),
    ),
    _of(
        PointPassed,
        words=lambda event, _view: (
            f"the handler fails at {name_text(event.point)}{fault_text(event.fault)}" if event.fault else ""
        ),
        arrow=lambda event, draw: (
            draw.remark(draw.function(event.function), f"fails at {event.point}") if event.fault else None
        ),
    ),
    _of(
        Effect,
        words=lambda event, _view: _effect(event),
        shared=lambda event: (event.function, event.name, str(event.values)),
        arrow=lambda event, draw: draw.remark(draw.function(event.function), _effect(event)),
    ),
    _of(Reached),
    _of(
        ServiceCalled,
        words=lambda event, view: _service_called(event, view.group.all(ServiceCalled)),
        shared=lambda event: (
            event.function,
            event.fault and (event.service, event.operation, event.error, event.fault),
        ),
        arrow=lambda event, draw: draw.remark(draw.function(event.function), _service_called(event, [event])),
    ),
    _of(
        InvocationEnded,
        words=_ended,
        shared=lambda event: (event.function, event.outcome, bool(event.failed), event.answered, event.fault),
        arrow=_ended_arrow,
    ),
    _of(Released, words=_released, arrow=_released_note),
    _of(
        Held,
        words=lambda event, view: (
            f"the poller of {view.them()} waits until {time_text(event.until)}{fault_text(event.fault)}"
        ),
        shared=lambda event: (event.mapping, event.until, event.fault),
        arrow=lambda event, draw: draw.note(
            draw.poller(event.mapping, event.poller),
            "holds ",
            f" until {time_text(event.until)}{fault_text(event.fault)}",
        ),
    ),
    _of(
        Deleted,
        words=_deleted,
        shared=lambda event: (event.queue, bool(event.stayed), event.fault),
        arrow=_deleted_arrow,
    ),
    _of(
        FilteredOut,
        words=lambda event, view: f"{view.they('match')} no filter of {mapping_text(event.mapping)}: deleted unseen",
        arrow=lambda event, draw: draw.note(draw.queue(event.queue), "filtered out: "),
    ),
    _of(
        Returned,
        words=_returned,
        shared=lambda event: (event.queue, event.receive_count, event.fault),
        arrow=lambda event, draw: draw.note(
            draw.queue(event.queue), "visibility of ", fault_text(event.fault) or " ends"
        ),
    ),
    _of(
        DeadLettered,
        words=_moved,
        arrow=lambda event, draw: draw.arrow(
            draw.queue(event.queue),
            "->>",
            draw.queue(event.target),
            f", received {counted(event.receive_count, 'time')}",
        ),
    ),
    _of(
        Expired,
        words=lambda event, view: f"the retention period of {view.them()} ends: gone from {name_text(event.queue)}",
        shared=lambda event: (event.queue, event.receive_count),
        arrow=lambda event, draw: draw.note(draw.queue(event.queue), "retention of ", " ends"),
    ),
    _of(
        PollersChanged,
        words=lambda event, view: (
            f"{mapping_text(event.mapping)} now has {counted(view.group.all(PollersChanged)[-1].pollers, 'poller')}"
        ),
        shared=lambda event: (event.mapping,),
    ),
    _of(Operated, words=_operated, shared=lambda event: (event.kind, event.target, event.setting, event.value)),
)

DESCRIPTIONS: Mapping[type[object], Description] = {entry.kind: entry for entry in _ENTRIES}
"""The description of each kind of event."""

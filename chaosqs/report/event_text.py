"""Describes groups of events in plain English, one clause each, from the fields of the events alone."""

from collections.abc import Iterable, Iterator, Sequence

from chaosqs.model.causal_slice import Slice, messages_of
from chaosqs.model.delivery import Delivery
from chaosqs.model.events import (
    DeadLettered,
    Deleted,
    Effect,
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
from chaosqs.model.time import clock_text
from chaosqs.report.event_groups import EventGroup, time_text
from chaosqs.report.text import Wording, busy_text, counted, fault_text, limit_text, mapping_text, name_text, verb

# Throttled batches, their retries, and the messages that occupy the executions ---------------------------------------


def with_news(story: Slice, indexes: Iterable[int]) -> list[int]:
    """Return event indexes without throttled retries of other messages, or with the same messages running as before."""
    kept: list[int] = []
    last: dict[tuple[int, ...], tuple[int, ...]] = {}
    for index in indexes:
        event = story.event(index)
        if isinstance(event, Throttled):
            running = story.running(index)
            known = event.attempt > 1 and last.get(event.messages) == running
            last[event.messages] = running
            if known or (event.attempt > 1 and not story.concerns(index)):
                continue
        kept.append(index)
    return kept


def throttled_text(group: EventGroup, story: Slice, wording: Wording, *, busy: bool, retries: bool) -> str:
    """Describe a throttle and its reason; `busy`: also the messages then running; `retries`: also the retries."""
    first = group.all(Throttled)[0]
    again = " again" if first.attempt > 1 else ""
    running = _running(story, group.indexes) if busy else []
    why = f"{limit_text(first)}{f': {busy_text(running)}' if running else ''}"
    text = f"{wording.of(group.messages)} {verb(group.messages, 'are')} throttled{again} ({why})"
    return text + (retries_text(group.indexes, group.messages, story, running) if retries else "")


def retries_text(indexes: Sequence[int], messages: Sequence[int], story: Slice, known: Sequence[int] | None) -> str:
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


def _delivery(story: Slice, message: int, throttle: int) -> Delivery | None:
    known = story.history.deliveries.get(message, ())
    return next((delivery for delivery in known if throttle in delivery.throttles), None)


def _running(story: Slice, throttles: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(message for index in throttles for message in story.running(index)))


def throttles_before(event: Returned, story: Slice) -> int:
    """Return the number of throttles of the delivery whose visibility ends."""
    known = story.history.deliveries.get(event.message, ())
    throttles = [index for delivery in known if delivery.received == event.cause for index in delivery.throttles]
    return sum(story.event(index).at <= event.at for index in throttles)


def waiting_text(story: Slice, groups: Sequence[EventGroup], wording: Wording) -> str:
    """If executions become free, describe the messages concerned whose retries are not due yet; else return ""."""
    freed = [index for group in groups if group.all(InvocationEnded) for index in group.indexes]
    present = [message for group in groups for message in group.messages]
    absent = [message for message in story.focus if message not in present] if freed else []
    waiting = [(message, due) for message in absent for due in _next_tries(story, message, freed[0])]
    if not waiting:
        return ""
    messages, dues = [message for message, _ in waiting], list(dict.fromkeys(due for _, due in waiting))
    words = f"{wording.of(messages)} {verb(messages, 'wait')} for {'its' if len(messages) == 1 else 'their'} next "
    due = dues[0] if len(dues) == 1 else None
    return words + ("retry" if due is None else f"retry at {time_text(due)}")


def _next_tries(story: Slice, message: int, index: int) -> Iterator[int | None]:
    """Yield the next try of each batch that was throttled before an index and is still held at it; None: no try."""
    for delivery in story.history.deliveries.get(message, []):
        tries = [index for index in story.indexes if _is_try(story, index, delivery)]
        before, after = [p for p in tries if p < index], [p for p in tries if p > index]
        over = delivery.ended is not None and delivery.ended < index
        if before and isinstance(story.event(before[-1]), Throttled) and not over:
            yield story.event(after[0]).at if after else None


def _is_try(story: Slice, index: int, delivery: Delivery) -> bool:
    event = story.event(index)
    return event.cause == delivery.received and isinstance(event, Throttled | InvocationStarted)


def _is_redundant(released: Released, groups: Sequence[EventGroup]) -> bool:
    """Return True if the same moment has the end of the same messages' visibility, which makes a clause redundant."""
    returned = [message for group in groups if group.all(Returned) for message in group.messages]
    return released.why == "throttled" and any(message in returned for message in released.messages)


# The text of one moment ----------------------------------------------------------------------------------------------

_SHOW_TIME_AFTER = 500  # milliseconds after the start of a step from which on a clause has its own time


def said(story: Slice, groups: Sequence[EventGroup], *, summed: bool) -> str:
    """Return the clauses of one moment as one text; `summed`: retries are described with the first throttle."""
    wording = Wording(story.history.scenario)
    parts = [_words(group, groups, story, wording, summed=summed) + _when(group, groups[0]) for group in groups]
    if not summed:
        parts.append(waiting_text(story, groups, wording))
    return "; ".join(part for part in parts if part)


def _when(group: EventGroup, first: EventGroup) -> str:
    """Return the time of a group that begins later than its step, else ""."""
    at = group.events[0].at
    return f" at {time_text(at)}" if at - first.events[0].at > _SHOW_TIME_AFTER else ""


def _words(group: EventGroup, beside: Sequence[EventGroup], story: Slice, wording: Wording, *, summed: bool) -> str:  # noqa: C901, PLR0911, PLR0912 - one case a kind of event
    match group.events[0]:
        case Sent() as sent:
            return _sent(sent, group, story, wording)
        case SendFailed(queue=queue, fault=fault):
            return f"sending {wording.of(group.messages)} to {name_text(queue)} fails{fault_text(fault)}"
        case Received():
            return _received(group, wording)
        case Throttled():
            started = any(other.all(InvocationStarted) for other in beside)
            return throttled_text(group, story, wording, busy=summed or not started, retries=summed)
        case ServiceFailed(fault=fault):
            messages = wording.of(group.messages)
            return f"Lambda answers with a service error instead of running {messages}{fault_text(fault)}"
        case InvocationStarted(function=function, fault=fault):
            where = f" in {name_text(function)}" if len(story.history.scenario.design.functions) > 1 else ""
            before = _before(group, story)
            return f"{wording.of(group.messages)} {verb(group.messages, 'run')}{before}{where}{fault_text(fault)}"
        case InvocationEnded():
            return ended_text(group, group.messages, wording)
        case Released() as released:
            return "" if _is_redundant(released, beside) else _released(released, group, wording)
        case Deleted():
            return _deleted(group, story, wording)
        case Returned():
            return _returned(group, story, wording)
        case DeadLettered() as moved:
            return _moved(moved, group, wording)
        case FilteredOut(mapping=mapping):
            many = "matches" if len(group.messages) == 1 else "match"
            return f"{wording.of(group.messages)} {many} no filter of {mapping_text(mapping)}: deleted unseen"
        case Expired(queue=queue):
            return f"the retention period of {wording.of(group.messages)} ends: gone from {name_text(queue)}"
        case PollersChanged(mapping=mapping):
            return f"{mapping_text(mapping)} now has {counted(group.all(PollersChanged)[-1].pollers, 'poller')}"
        case Held(until=until, fault=fault):
            return f"the poller of {wording.of(group.messages)} waits until {time_text(until)}{fault_text(fault)}"
        case (Operated() | PointPassed() | Effect() | ReceivedNothing() | ReceiveFailed() | Reached()) as other:
            return _aside(other)


def _aside(event: Operated | PointPassed | Effect | ReceivedNothing | ReceiveFailed | Reached) -> str:
    """Describe an event that is not about the way of a message; some kinds have no text."""
    match event:
        case Operated():
            return operated_text(event)
        case PointPassed(point=point, fault=fault):
            return f"the handler fails at {name_text(point)}{fault_text(fault)}" if fault else ""
        case Effect():
            return effect_text(event)
        case ReceivedNothing() | ReceiveFailed() | Reached():
            return ""


def _sent(sent: Sent, group: EventGroup, story: Slice, wording: Wording) -> str:
    words = f"{wording.of(group.messages)} {verb(group.messages, 'arrive')} in {name_text(sent.queue)}"
    cause = None if sent.cause is None else story.event(sent.cause)
    if sent.copy_of is not None and isinstance(cause, Deleted):
        words += f", which was message {sent.copy_of + 1:,} in the dead-letter queue"
    elif sent.copy_of is not None:
        words += f", a copy of message {sent.copy_of + 1:,}: its producer never learned that it had arrived"
    return words + fault_text(sent.fault)


def operated_text(operated: Operated) -> str:
    """Describe an operator's action."""
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


def effect_text(effect: Effect) -> str:
    """Describe what a handler recorded: `worker records charged (order 7)`."""
    values = ", ".join(f"{name_text(name)} {name_text(str(value))}" for name, value in effect.values)
    return f"{name_text(effect.function)} records {name_text(effect.name)}{f' ({values})' if values else ''}"


def _moved(moved: DeadLettered, group: EventGroup, wording: Wording) -> str:
    limit = wording.maximum(moved.queue)
    over = f"max_receive_count{f' {limit:,}' if limit else ''}"
    return f"a receive finds {wording.of(group.messages)} over {over}: moved to {name_text(moved.target)}"


def _received(group: EventGroup, wording: Wording) -> str:
    events = group.all(Received)
    pollers = list(dict.fromkeys(event.poller for event in events))
    who = f"poller {pollers[0]:,} receives" if len(pollers) == 1 else f"{len(pollers):,} pollers receive"
    again = " again" if min((count for event in events for count in event.receive_counts), default=1) > 1 else ""
    what = f"{wording.noun(group.messages)}{again}"
    if events[0].lost:
        return f"SQS hands out {what}, but the answer gets lost{fault_text(events[0].fault)}"
    return f"{who} {what}{_each([len(messages_of(event)) for event in events])}{fault_text(events[0].fault)}"


def _each(sizes: Sequence[int]) -> str:
    if len(sizes) == 1:
        return " in one batch" if sizes[0] > 1 else ""
    if min(sizes) < max(sizes):
        return f", {min(sizes):,} to {max(sizes):,} each"
    return ", one each" if sizes[0] == 1 else f", {sizes[0]:,} each"


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


def ended_text(group: EventGroup, messages: Sequence[int], wording: Wording) -> str:
    """Describe the end of invocations with one outcome, for some of their messages."""
    events = group.all(InvocationEnded)
    first, function = events[0], wording.function(events[0].function)
    failed = [message for event in events for message in event.failed if message in messages]
    match first.outcome:
        case "succeeded" if failed:
            result = f"{function} reports {wording.of(failed)} as failed"
        case "succeeded":
            result = f"{wording.of(messages)} {verb(messages, 'are')} done"
        case "raised":
            result = f"{function} raises an error on {wording.of(messages)}"
        case "timed_out":
            result = f"{function} times out on {wording.of(messages)} after {clock_text(first.duration)}"
        case _:  # crashed
            result = f"{function} crashes while it runs {wording.of(messages)}"
    unheard = "" if first.answered else ", but no poller gets the answer"
    return f"{result}{unheard}{fault_text(first.fault)}"


def _released(released: Released, group: EventGroup, wording: Wording) -> str:
    match released.why:
        case "throttled":
            return f"the poller gives {wording.of(group.messages)} up, throttled for a whole visibility timeout"
        case "no answer":
            return f"the poller of {wording.of(group.messages)} no longer waits for an answer"
        case "restarted":
            return (
                f"the poller of {wording.of(group.messages)} restarts and forgets its batch{fault_text(released.fault)}"
            )
        case _:
            return ""


def _deleted(group: EventGroup, story: Slice, wording: Wording) -> str:
    events = group.all(Deleted)
    stayed = [message for event in events for message in event.stayed]
    if events[0].fault and stayed:
        lost = events[0].fault.startswith("lost_delete")
        words = (
            f"the request to delete {wording.of(stayed)} gets lost" if lost else f"deleting {wording.of(stayed)} fails"
        )
        return words + fault_text(events[0].fault)
    if stayed:
        return f"deleting {wording.of(stayed)} has no effect: received again meanwhile"
    unseen = all(event.cause is not None and isinstance(story.event(event.cause), Received) for event in events)
    words = f"{wording.of(group.messages)} {verb(group.messages, 'are')} deleted"
    return f"{words} without an invocation" if unseen else words


def _returned(group: EventGroup, story: Slice, wording: Wording) -> str:
    events = group.all(Returned)
    throttles = list(dict.fromkeys(throttles_before(event, story) for event in events))
    after = f" after {counted(throttles[0], 'throttle')}" if len(throttles) == 1 and throttles[0] else ""
    count = wording.count(events[0].queue, events[0].receive_count)
    if events[0].fault:
        return (
            f"SQS shows {wording.of(group.messages)} again, which it should not{fault_text(events[0].fault)} ({count})"
        )
    return f"visibility of {wording.of(group.messages)} ends{after} ({count})"

"""Summarizes a counterexample in one paragraph, shows the bodies of its messages, and names what the code should do.

The paragraph tells the violation, the load, the deliveries of a message and the outcome.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

import attrs

from chaosqs.model.causal_slice import Slice, causal_slice
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.delivery import Delivery, Ending
from chaosqs.model.events import (
    DeadLettered,
    Deleted,
    Effect,
    Expired,
    InvocationEnded,
    InvocationStarted,
    PollersChanged,
    Received,
    Sent,
    ServiceCalled,
    Throttled,
)
from chaosqs.model.history import History
from chaosqs.model.message import Message
from chaosqs.model.time import clock_text
from chaosqs.model.verdict import Violation
from chaosqs.model.workload import as_sent
from chaosqs.report.explanation import NO_FAULT, faults
from chaosqs.report.text import Wording, counted, fault_text, limit_text, listed, name_text, named, shown, time_text

_RESULTS = {"succeeded": "succeeded on it", "timed_out": "timed out on it", "raised": "raised an error on it"}
_MAX_TIMES = 4
"""Maximum times that are all listed; of more, only the first two and the last."""


def paragraph(counterexample: Counterexample, history: History) -> str:
    """Return the paragraph; it begins with the violation's own sentence."""
    story = causal_slice(history, counterexample.violation)
    sentences = [counterexample.violation.text, *_load(counterexample, story), *_pollers(story)]
    sentences += _deliveries(story) if story.focus else _totals(history, counterexample.violation.at)
    return " ".join(sentence for sentence in [*sentences, *_aftermath(story)] if sentence)


def _load(counterexample: Counterexample, story: Slice) -> Iterator[str]:
    """Describe the messages that were sent before the violation, and the faults."""
    until = counterexample.violation.at
    sent = [event for _, event in story.history.each(Sent) if event.at <= until and event.copy_of is None]
    found = faults(counterexample)
    fault = "" if found in ([], [NO_FAULT]) else f", and it took a fault: {listed(found)}"
    for queue in dict.fromkeys(event.queue for event in sent):
        own = [event.at for event in sent if event.queue == queue]
        when = f"at {time_text(own[0])}" if own[0] == own[-1] else f"from {time_text(own[0])} to {time_text(own[-1])}"
        yield f"{counted(len(own), 'message')} arrived in {name_text(queue)} {when}{fault}."
        fault = ""


def _pollers(story: Slice) -> Iterator[str]:
    """Describe the pollers of each function that throttled a message concerned (ES-11)."""
    own = [story.event(index) for index in story.indexes if story.concerns(index)]
    throttles = [event for event in own if isinstance(event, Throttled) and not event.fault]
    for first in {event.function: event for event in reversed(throttles)}.values():
        events = story.history.events[: story.end + 1]
        grown = [e.pollers for e in events if isinstance(e, PollersChanged) and e.mapping == first.mapping]
        pollers = max(grown, default=1)
        who = f"Up to {pollers:,} pollers" if pollers > 1 else "One poller"
        queue, why = name_text(first.mapping.partition("→")[0]), limit_text(first).removeprefix("429, ")
        room = f"although {name_text(first.function)} had no room for all ({why})"
        yield f"{who} read from {queue} {room}: pollers do not ask before they read."


def _deliveries(story: Slice) -> Iterator[str]:
    """Describe the deliveries of the first message concerned, similar ones together; only count the other messages."""
    message = story.focus[0]
    known = [one for one in story.history.deliveries.get(message, ()) if one.received <= story.end]
    if known:
        among = f", one of {len(story.focus):,} concerned," if len(story.focus) > 1 else ""
        yield f"Message {message + 1:,}{among} was received {_times(len(known))}."
    for _, group in groupby(known, key=lambda one: _kind(one, story)):
        yield _deliveries_text(list(group), story)


def _kind(one: Delivery, story: Slice) -> tuple[Ending, bool, bool, bool, bool]:
    """Return the grouping key of a delivery; successive deliveries with the same key are described together."""
    return one.ending, bool(one.fault), _late(one, story) > 0, _overlaps(one, story), _vain(one, story) is None


def _deliveries_text(alike: Sequence[Delivery], story: Slice) -> str:
    at = [time_text(story.event(one.received).at) for one in alike]
    when = listed(at) if len(at) <= _MAX_TIMES else f"{at[0]}, {at[1]} … {at[-1]}"
    return f"Received at {when}: {'each time ' if len(at) > 1 else ''}{_fate(alike, story)}."


def _fate(alike: Sequence[Delivery], story: Slice) -> str:
    """Describe the end of deliveries that ended in the same way."""
    one = alike[0]
    function = name_text(one.mapping.rpartition("→")[2])
    match one.ending:
        case Ending.THROTTLED:
            return _throttled(alike, story)
        case Ending.PROCESSED | Ending.FAILED | Ending.REPORTED:
            return _ran(alike, function, story)
        case Ending.OPEN:
            who = "its poller still held it" if one.started is None else f"{function} was still at work on it"
            return f"{who} when the run ended"
        case Ending.FILTERED:
            return f"no filter of {function} let it pass, so it was deleted unseen"
        case Ending.HELD_BACK:
            return "an earlier message of its group failed, so its poller let it go unseen"
        case Ending.SERVICE_ERROR | Ending.LOST:
            lost = f"it never reached {function}" if one.mapping else "nobody got it"
            what = lost if one.ending is Ending.LOST else "Lambda answered with a service error"
            return f"{what}{fault_text(one.fault)}"


def _throttled(alike: Sequence[Delivery], story: Slice) -> str:
    """Describe the 429s, the messages that ran meanwhile, and the end of the visibility timeout (ES-8, ES-9)."""
    indexes = [index for one in alike for index in one.throttles]
    busy = list(dict.fromkeys(message for index in indexes for message in story.running(index)))
    run = f" while {named(busy)} {'were' if len(busy) > 1 else 'was'} running" if busy else ""
    total = " in all" if len(alike) > 1 else ""
    fault = fault_text(alike[0].fault)
    return (
        f"Lambda throttled it{run} ({counted(len(indexes), 'try').replace('trys', 'tries')}{total}){fault}, until"
        f" {_timeout(alike[0], story)} was over"
    )


def _ran(alike: Sequence[Delivery], function: str, story: Slice) -> str:
    """Describe the end of invocations, and, if the message was not deleted after a success, the reason."""
    one = alike[0]
    ended = None if one.ended is None else story.event(one.ended)
    assert isinstance(ended, InvocationEnded), one
    again = "began again while the earlier invocation still went on, and " if _overlaps(one, story) else ""
    result = "reported it as failed" if one.ending is Ending.REPORTED else _RESULTS.get(ended.outcome, "crashed on it")
    when = f" at {time_text(ended.at)}" if len(alike) == 1 else ""
    when += f" after {counted(len(one.throttles), 'throttle')}" if len(alike) == 1 and one.throttles else ""
    return f"{function} {again}{result}{when}{fault_text(one.fault)}{_delete(alike, story)}"


def _delete(alike: Sequence[Delivery], story: Slice) -> str:
    one = alike[0]
    late = f"{clock_text(_late(one, story))} " if len(alike) == 1 else ""
    after = f", {late}after {_timeout(one, story)} was over" if _late(one, story) else ""
    vain = _vain(one, story)
    if vain is None:
        return after
    return f"{after}, but its delete {'did not work' if vain.fault else 'had no effect'}{fault_text(vain.fault)}"


def _vain(one: Delivery, story: Slice) -> Deleted | None:
    """Return the delete of a delivery that left the message in the queue, if there was one."""
    deletes = (event for _, event in story.history.each(Deleted) if event.cause == one.ended)
    return next((event for event in deletes if one.message in event.stayed), None)


def _late(one: Delivery, story: Slice) -> int:
    """Return the milliseconds from the end of the visibility timeout to the end of the invocation; 0 if before it."""
    received = story.event(one.received)
    if one.started is None or one.ended is None or not isinstance(received, Received):
        return 0
    return max(0, story.event(one.ended).at - received.visible_at)


def _timeout(one: Delivery, story: Slice) -> str:
    received = story.event(one.received)
    assert isinstance(received, Received), received
    return f"its visibility timeout of {(received.visible_at - received.at) / 1000:g} s"


def _overlaps(one: Delivery, story: Slice) -> bool:
    """Return True if an earlier invocation of the message was still running when this one began."""
    began = one.started
    earlier = [
        d for d in story.history.deliveries.get(one.message, ()) if d.received < one.received and d.started is not None
    ]
    return began is not None and any(other.ended is None or other.ended > began for other in earlier)


def _aftermath(story: Slice) -> Iterator[str]:
    """Describe the end of the first message concerned, and the number of its invocations."""
    if not story.focus:
        return
    message, history = story.focus[0], story.history
    runs = sum(message in event.messages for _, event in history.each(InvocationStarted))
    if runs > 1:
        yield f"In all it was worked on {_times(runs)}."
    for _, event in history.each(DeadLettered):
        if event.message == message:
            limit = Wording(history.scenario).maximum(event.queue)
            full = limit is not None and event.receive_count >= limit
            used = f"That used up max_receive_count {limit:,}, so" if full else "After that"
            read = any(mapping.queue == event.target for mapping in history.scenario.design.mappings)
            stays = "" if read else "; nothing reads from there"
            yield f"{used} the next receive, at {time_text(event.at)}, moved it to {name_text(event.target)}{stays}."
    for _, expired in history.each(Expired):
        if expired.message == message:
            where, when = name_text(expired.queue), time_text(expired.at)
            yield f"The retention period of {where} ended at {when}, and it was gone."


def _totals(history: History, until: int) -> Iterator[str]:
    """Count all deliveries by their ends, for a violation that concerns no message."""
    known = [d for each in history.deliveries.values() for d in each if history.events[d.received].at <= until]
    counts = {ending: sum(one.ending is ending for one in known) for ending in Ending}
    endings = [f"{count:,} {ending}" for ending, count in counts.items() if count]
    if known:
        yield f"Until {time_text(until)} there were {len(known):,} deliveries: {listed(endings)}."


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")


# The bodies of the messages that a violation is about, and of poison messages -----------------------------------------

_MAX_BODIES = 3
"""Maximum messages whose bodies are shown."""
_LEAST_BODY = 30  # columns that a body keeps beside a long note


@attrs.frozen
class Body:
    """The contents of one message of the workload."""

    number: int
    """Number of the message, counted from 1 as in stories."""
    message: Message

    def line(self, width: int) -> str:
        """Return number, body and note on one line of at most `width` columns."""
        head, note = f"{self.number:,}: ", self.message.note
        if not note:
            return head + shown(self.message.body, width - len(head))
        tail = "  ← " + shown(note, max(_LEAST_BODY, width - len(head) - _LEAST_BODY - 4))
        return head + shown(self.message.body, width - len(head) - len(tail)) + tail


def bodies(counterexample: Counterexample, history: History) -> list[Body]:
    """Return the messages to show: the poison messages first, then those of the violation; in their order."""
    sent = as_sent(counterexample.scenario.workload)
    numbers = dict.fromkeys((*_poison(counterexample), *_blamed(counterexample, history)))
    chosen = [number for number in numbers if number < len(sent)][:_MAX_BODIES]
    contents = ((number, sent[number].message) for number in sorted(chosen))
    return [Body(number + 1, message) for number, message in contents if message is not None]


def _poison(counterexample: Counterexample) -> Iterator[int]:
    for number, arrival in enumerate(as_sent(counterexample.scenario.workload)):
        if arrival.message is not None and arrival.message.note:
            yield number


def _blamed(counterexample: Counterexample, history: History) -> Iterator[int]:
    """Yield the messages of the violation, copies by the number of what they repeat."""
    for number in counterexample.violation.messages:
        sent = history.sent.get(number)
        yield number if sent is None or sent.copy_of is None else sent.copy_of


# Changes of the code --------------------------------------------------------------------------------------------------
#
# Where no setting is the answer. Each sentence is about calls and answers that the history has.


def in_code(counterexample: Counterexample, history: History) -> list[str]:
    """Return what the code should do instead of what the history shows; empty: a setting is the answer, or nothing."""
    name = counterexample.invariant
    advise = _repeated if name.startswith("exactly-once-") else _ADVICE.get(name, _none)
    return [shown(sentence, 300) for sentence in advise(counterexample.violation, history)]


def _none(_violation: Violation, _history: History) -> Iterator[str]:
    yield from ()


def _order_broken(violation: Violation, history: History) -> Iterator[str]:
    """Stop at the first failure, if an answer reported a message and not a later one of its group (PB-15)."""
    for index in violation.events:
        end, (first, *later) = history.events[index], violation.messages
        if isinstance(end, InvocationEnded) and first in end.failed and any(each in end.messages for each in later):
            yield (
                f"stop at the first failure: {end.function} reported message {first + 1:,} as failed and went on with "
                f"{named(later)} of its group; report these, too"
            )


def _repeated(violation: Violation, history: History) -> Iterator[str]:
    """Claim the work before the effect, under a key that stays the same; a FIFO queue does that by an id (FF-5)."""
    effects = [
        event for index in violation.events if isinstance(event := history.events[index], Sent | ServiceCalled | Effect)
    ]
    if not effects:
        return
    first, last = effects[0], effects[-1]
    if isinstance(first, Sent) and first.queue.endswith(".fifo"):
        yield f"send with a MessageDeduplicationId made of the record's messageId{_at(first)}"
        return
    before, after = _claims(history, first), _claims(history, last)
    keys = {key for claim in after for key in claim.claims}
    if before and after and not any(keys & set(claim.claims) for claim in before):
        yield f"claim with the same key for each delivery: {before[0].what}{_at(before[0])} has another one each time"
    elif before:
        yield f"write the record before the effect: {before[0].what}{_at(before[0])} comes after {_what(first)}"
    else:
        yield (
            f"before {_what(first)}, write a record under {_key(violation)} on the condition that there is none; or "
            "pass that on, by which the receiver can tell the repetition"
        )


def _key(violation: Violation) -> str:
    """Return the name of what identifies an effect: the value that the invariant names, or the id of the message."""
    by = re.fullmatch(r"exactly-once-.+?-by-(\w+)", violation.invariant)
    return "the record's messageId" if by is None else f"its {by[1]}"


def _claims(history: History, effect: Sent | ServiceCalled | Effect) -> list[ServiceCalled]:
    """Return the conditional writes of the invocation that had an effect."""
    return [call for _, call in history.each(ServiceCalled) if call.claims and call.cause == effect.cause]


def _what(effect: Sent | ServiceCalled | Effect) -> str:
    match effect:
        case Sent():
            return f"the send to {effect.queue}{_at(effect)}"
        case ServiceCalled():
            return f"{effect.what}{_at(effect)}"
        case Effect():
            return f"the effect {effect.name!r}"


def _at(event: Sent | ServiceCalled) -> str:
    return f" ({event.place})" if event.place else ""


def _half_done(violation: Violation, history: History) -> Iterator[str]:
    """Let the error of a failed call reach Lambda; or mark a message as done after its work."""
    calls = [event for index in violation.events if isinstance(event := history.events[index], ServiceCalled)]
    for call in calls:
        if call.fault and call.error and f"{call.what}" in violation.text:
            yield f"let the error of {call.what}{_at(call)} end the invocation, or report the message as failed"
            return
    marks = (call for call in calls if not call.error and (call.claims or call.operation.startswith(_WRITING)))
    mark = next(marks, None)
    if mark is not None:
        yield f"mark the message as done after its work: {mark.what}{_at(mark)} comes before it"


_WRITING = ("Put", "Update")
"""First words of operations that may mark a message."""


def _own_delete(violation: Violation, history: History) -> Iterator[str]:
    """Leave deletes to Lambda (EF-1, EF-4)."""
    for index in violation.events:
        event = history.events[index]
        if isinstance(event, Deleted):
            purged = event.fault == "PurgeQueue"
            yield f"do not purge {event.queue}" if purged else "leave the delete to Lambda, which deletes what succeeds"


def _answer(violation: Violation, history: History) -> Iterator[str]:
    """Answer in the form that Lambda reads (PB-1)."""
    end = history.events[violation.events[-1]]
    if isinstance(end, InvocationEnded):
        yield (
            'answer {"batchItemFailures": [{"itemIdentifier": record["messageId"]}, …]} with the messages that failed'
        )


def _raised(violation: Violation, history: History) -> Iterator[str]:
    """Report a message instead of raising, where the mapping reads reports (PB-1)."""
    reading = {mapping.name for mapping in history.scenario.design.mappings if mapping.report_batch_item_failures}
    for index in violation.events:
        end = history.events[index]
        if isinstance(end, InvocationEnded) and end.mapping in reading and end.outcome == "raised" and end.error:
            place = f" ({end.trace[-1]})" if end.trace else ""
            yield f"catch {end.error.partition(':')[0]}{place} for each message, and report it in batchItemFailures"
            return


def _loop(violation: Violation, history: History) -> Iterator[str]:
    """Do not send back what came (LX-16)."""
    sent = history.sent.get(violation.messages[0])
    if sent is not None and sent.place:
        yield f"end the loop: stop sending to {sent.queue}{_at(sent)} what came from there"


_ADVICE: Mapping[str, Callable[[Violation, History], Iterator[str]]] = {
    "fifo-order": _order_broken,
    "no-repeated-send": _repeated,
    "no-repeated-effect": _repeated,
    "no-work-half-done": _half_done,
    "no-loss-by-own-delete": _own_delete,
    "answers-understood": _answer,
    "no-bystander-dead-lettered": _raised,
    "no-recursive-loop": _loop,
}
"""By invariant, what the history of a violation shows to be missing in the code."""

"""What happened and why, in one paragraph: the violation, the load, the deliveries of its message, what followed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from chaosqs.model.counterexample import Counterexample, Explanation, Fix, PointOfNoReturn, Rate, Setting
from chaosqs.model.delivery import Delivery, Ending
from chaosqs.model.event import (
    DeadLettered,
    Deleted,
    Expired,
    InvocationEnded,
    InvocationStarted,
    PollersChanged,
    Received,
    Sent,
    Throttled,
)
from chaosqs.model.history import History
from chaosqs.model.time import clock_text
from chaosqs.report.causal_slice import Slice, causal_slice
from chaosqs.report.event_groups import time_text
from chaosqs.report.text import (
    Wording,
    counted,
    fault_text,
    limit_text,
    listed,
    name_text,
    named,
    percent,
    shown,
    title_of,
)

# What an explanation says, as short texts that the story and the report share. ---------------------------------------

NO_FAULT = "no fault was needed"
_ORIGINS = 3
_FACTOR = 10
"""From so many times as much on, growth is told as a factor."""
_NOTABLE = 0.05
"""From how much more on latency and concurrency are a price worth a word."""


def telling(explanation: Explanation) -> list[Setting]:
    """Return the settings that matter: in the counterexample, then in a crowd."""
    found = [setting for setting in explanation.settings if setting.matters or setting.load_sensitivity]
    return sorted(found, key=lambda setting: not setting.matters)


def matters(explanation: Explanation) -> list[str]:
    """Return the settings that matter: `reserved_concurrency 2 (holds from 5)`."""
    found = telling(explanation)
    return [f"{setting_name(s, explanation)} {shown(s.value, 30)}{_threshold(s)}" for s in found]


def any_value(explanation: Explanation) -> list[str]:
    """Return the names of the settings that may be anything."""
    free = [setting for setting in explanation.settings if setting not in telling(explanation)]
    return list(dict.fromkeys(setting_name(s, explanation) for s in free))


def setting_name(setting: Setting, explanation: Explanation) -> str:
    """Return the name of a setting, with its owner where several have a setting of that name."""
    named = [(other.owner, other.name) for other in explanation.settings if other.name == setting.name]
    ambiguous = len(Counter(named)) > 1 and setting.owner
    return f"{shown(setting.owner, 30)}.{shown(setting.name, 40)}" if ambiguous else shown(setting.name, 40)


def _threshold(setting: Setting) -> str:
    text = setting.threshold or setting.load_sensitivity
    return f" ({shown(text, 80)})" if text else ""


def faults(counterexample: Counterexample) -> list[str]:
    """Return the faults that it takes; `NO_FAULT` where it takes none; nothing where that is not known."""
    explanation, plan = counterexample.explanation, counterexample.scenario.faults
    if explanation.own_bug:
        return []
    if explanation.faults:
        return [shown(fault, 80) for fault in explanation.faults]
    planned = plan.windows or any(kind != "ok" for receives in plan.messages for kind in receives)
    return [] if planned and explanation == Explanation() else [NO_FAULT]


def rate(found: Rate | None) -> str:
    """Return how often: `38 % of 1,000 seeds (35–41 %)`; empty where it was not measured."""
    if found is None or found.of <= 0:
        return ""
    low, high = found.interval()
    return f"{percent(found.violated / found.of)} % of {found.of:,} seeds ({percent(low)}–{percent(high)} %)"


def fixes(explanation: Explanation) -> list[str]:
    """Return the changes that prevent it, then those that help: `batch_size = 1 (0 of 2,000, drain time +0 %)`."""
    tried = [fix for fix in explanation.fixes if fix.of > 0]
    work = [f"{shown(fix.change, 60)} ({fix_text(fix)})" for fix in tried if fix.violated == 0]
    fail = [f"less often with {shown(fix.change, 60)} ({fix_text(fix)})" for fix in tried if fix.violated > 0]
    return [*(work or ["nothing that was tried"]), *fail] if tried else []


def guesses(explanation: Explanation) -> list[str]:
    """Return the assumptions that the verdict hangs on; nothing where it hangs on none, or nobody looked."""
    return [shown(text, 80) for text in explanation.assumptions or ()]


def fix_text(fix: Fix) -> str:
    """Return how a change did and what it costs: `0 of 2,000, drain time +0 %, concurrency +50 %`."""
    seen = "certain by AWS's rules" if fix.certain else f"{fix.violated:,} of {fix.of:,}"
    parts = [seen, *([] if fix.drain is None else [f"drain time {growth(fix.drain)}"])]
    parts += [f"{what} {growth(part)}" for what, part in _prices(fix) if part is not None and part >= _NOTABLE]
    return ", ".join([*parts, *conditions(fix), *([f"but breaks {breaks(fix)}"] if fix.breaks else [])])


def conditions(fix: Fix) -> list[str]:
    """Return what the code must do besides, for a change of the design to work: to report failures (PB-1)."""
    reports = any(change.setting == "report_batch_item_failures" and change.value for change in fix.changes)
    return ["if the handler answers with batchItemFailures"] if reports else []


def _prices(fix: Fix) -> tuple[tuple[str, float | None], ...]:
    return ("latency", fix.latency), ("concurrency", fix.concurrency)


def breaks(fix: Fix) -> str:
    """Return the promises that a change breaks, as stories spell them; empty where it breaks none."""
    return listed([title_of(name) for name in fix.breaks])


def growth(relative: float) -> str:
    """Return by how much something grew: `+10 %`, `-5 %`; as a factor from ten on: `× 1,103`."""
    factor = relative + 1
    return f"× {round(factor):,}" if factor >= _FACTOR else f"{round(relative * 100):+,} %"


def point_of_no_return(found: PointOfNoReturn | None) -> str:
    """Return from when on it was inevitable: `from 47.2 s: third receive of message 2`; empty where nobody looked."""
    if found is None:
        return ""
    if found.at is None:
        return f"from the start ({_futures(found)})"
    if not found.what:
        return f"only at {time_text(found.at)}, when it happened: until then, seed could still avoid it"
    before = "" if found.avoidable_at is None else time_text(found.avoidable_at)
    until = f", avoidable until {before}" if before not in {"", time_text(found.at)} else ""
    return f"from {time_text(found.at)}: {shown(found.what, 90)} ({_futures(found)}{until})"


def _futures(found: PointOfNoReturn) -> str:
    return f"{found.violated:,} of {found.of:,} futures"


OWN_BUG = "This is a bug of chaosqs, not of the design: please report it with scenario.json."


def origins(explanation: Explanation) -> list[str]:
    """Return where the settings that matter were read from; three at the most."""
    found = [s.origin for s in explanation.settings if s.matters and s.origin]
    return [shown(origin, 90) for origin in dict.fromkeys(found)][:_ORIGINS]


# ---------------------------------------------------------------------------------------------------------------------

_RESULTS = {"succeeded": "succeeded on it", "timed_out": "timed out on it", "raised": "raised an error on it"}
_TIMES = 4
"""Moments that are listed; of more only the first and the last."""


def paragraph(counterexample: Counterexample, history: History) -> str:
    """Return the violation's own sentence, and what led to it and followed."""
    story = causal_slice(history, counterexample.violation)
    sentences = [counterexample.violation.text, *_load(counterexample, story), *_pollers(story)]
    sentences += _deliveries(story) if story.focus else _totals(history, counterexample.violation.at)
    return " ".join(sentence for sentence in [*sentences, *_aftermath(story)] if sentence)


def _load(counterexample: Counterexample, story: Slice) -> Iterator[str]:
    """Say what arrived until then, and what went wrong."""
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
    """Where there was no room for a message concerned, say who read for how many executions (ES-11)."""
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
    """Tell the deliveries of the first message concerned, those alike together; of the others, that they are."""
    message = story.focus[0]
    known = [one for one in story.history.deliveries.get(message, ()) if one.received <= story.end]
    if known:
        among = f", one of {len(story.focus):,} concerned," if len(story.focus) > 1 else ""
        yield f"Message {message + 1:,}{among} was received {_times(len(known))}."
    for _, group in groupby(known, key=lambda one: _kind(one, story)):
        yield _told(list(group), story)


def _kind(one: Delivery, story: Slice) -> tuple[Ending, bool, bool, bool, bool]:
    """Return what deliveries must share to be told together."""
    return one.ending, bool(one.fault), _late(one, story) > 0, _overlaps(one, story), _vain(one, story) is None


def _told(alike: Sequence[Delivery], story: Slice) -> str:
    at = [time_text(story.event(one.received).at) for one in alike]
    when = listed(at) if len(at) <= _TIMES else f"{at[0]}, {at[1]} … {at[-1]}"
    return f"Received at {when}: {'each time ' if len(at) > 1 else ''}{_fate(alike, story)}."


def _fate(alike: Sequence[Delivery], story: Slice) -> str:
    """Tell what became of deliveries that ended alike."""
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
        case Ending.SERVICE_ERROR:
            return f"Lambda answered with a service error{fault_text(one.fault)}"
        case Ending.LOST:
            return f"{'it never reached ' + function if one.mapping else 'nobody got it'}{fault_text(one.fault)}"


def _throttled(alike: Sequence[Delivery], story: Slice) -> str:
    """Tell how often Lambda answered 429, who ran meanwhile, and that this used the delivery up (ES-8, ES-9)."""
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
    """Tell how invocations ended, and why the message was not gone where a function had succeeded on it."""
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
    """Return the delete after which the message was still there, if there was one."""
    deletes = (event for _, event in story.history.each(Deleted) if event.cause == one.ended)
    return next((event for event in deletes if one.message in event.stayed), None)


def _late(one: Delivery, story: Slice) -> int:
    """Return for how long the visibility timeout had been over when an invocation was done, in milliseconds."""
    received = story.event(one.received)
    if one.started is None or one.ended is None or not isinstance(received, Received):
        return 0
    return max(0, story.event(one.ended).at - received.visible_at)


def _timeout(one: Delivery, story: Slice) -> str:
    received = story.event(one.received)
    assert isinstance(received, Received), received
    return f"its visibility timeout of {(received.visible_at - received.at) / 1000:g} s"


def _overlaps(one: Delivery, story: Slice) -> bool:
    """Tell whether an earlier invocation still ran when this one began."""
    began = one.started
    earlier = [
        d for d in story.history.deliveries.get(one.message, ()) if d.received < one.received and d.started is not None
    ]
    return began is not None and any(other.ended is None or other.ended > began for other in earlier)


def _aftermath(story: Slice) -> Iterator[str]:
    """Say where the message ended, and how often it was worked on."""
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
    """Where no message is concerned, sum all deliveries up."""
    known = [d for each in history.deliveries.values() for d in each if history.events[d.received].at <= until]
    counts = {ending: sum(one.ending is ending for one in known) for ending in Ending}
    told = [f"{count:,} {ending}" for ending, count in counts.items() if count]
    if known:
        yield f"Until {time_text(until)} there were {len(known):,} deliveries: {listed(told)}."


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(count, f"{count:,} times")

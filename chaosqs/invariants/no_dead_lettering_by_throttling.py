"""A message ends in a dead-letter queue because a function failed on it, never because no execution was free for it.

The pollers receive without asking whether the function can be invoked (ES-11). A throttled batch is retried until its
visibility timeout is over, and that costs a receive (ES-8, ES-9). After enough receives, a message that no function
ever saw is dead-lettered (DLQ-3).

Faults may throttle any number of receives, and no max_receive_count bears that. So a move that only such throttles
brought about is excused for good, whatever an ordinary configuration would do.
"""

from collections import Counter
from collections.abc import Sequence

from chaosqs.invariants.no_recursive_loop import is_dropped
from chaosqs.invariants.verdicts import Invariant, judged, listed, message_text, not_applicable, times, unique
from chaosqs.model.delivery import Delivery, Ending, Fate
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.events import InvocationStarted, Throttled
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict, Violation

NAME = "no-dead-lettering-by-throttling"

_ENDING_TEXTS = {
    Ending.OPEN: "{function} was not yet done with it when the run ended",
    Ending.PROCESSED: "{function} succeeded on it",
    Ending.REPORTED: "{function} reported it as failed",
    Ending.FAILED: "{function} failed on it",
    Ending.FILTERED: "no filter of {function} let it pass",
    Ending.SERVICE_ERROR: "Lambda answered with a service error",
    Ending.LOST: "the answer of SQS was lost",
    Ending.HELD_BACK: "an earlier message of its group failed",
}

_UNSEEN_ENDINGS = (Ending.THROTTLED, Ending.FILTERED, Ending.SERVICE_ERROR, Ending.LOST, Ending.HELD_BACK)


def judge(history: History) -> Verdict:
    """Blame each dead-lettering of an unprocessed message that throttling helped to bring about."""
    design = history.scenario.design
    mappings = [mapping for mapping in design.mappings if mapping.enabled]
    if not mappings:
        return not_applicable(NAME, "the design has no mapping that polls")
    guarded = [mapping for mapping in mappings if design.queue(mapping.queue).redrive is not None]
    if not guarded:
        polled = listed(unique(mapping.queue for mapping in mappings), last="or")
        return not_applicable(NAME, f"there is no redrive policy on {polled}, so nothing is dead-lettered")
    violations: list[Violation] = []
    excused: list[str] = []
    for fate in history.dead_lettered:
        if fate.processed or not fate.throttled:
            continue
        if all(delivery.fault for delivery in fate.throttled):
            excused.append(_excuse(fate))
        else:
            violations.append(_violation(history, fate))
    exercised = _throttled(history) + _capped(history, guarded)
    return judged(NAME, violations, exercised, _idle(history, guarded), excused)


def _throttled(history: History) -> int:
    """Count the deliveries that throttling could have used up: those with a throttle that no fault caused."""
    redriven = {queue.name for queue in history.scenario.design.queues if queue.redrive is not None}
    return sum(
        delivery.queue in redriven and any(not _throttle(history, index).fault for index in delivery.throttles)
        for by_message in history.deliveries.values()
        for delivery in by_message
        if delivery.throttles
    )


def _capped(history: History, mappings: list[EventSourceMapping]) -> int:
    """Count the invocations that filled the maximum concurrency of their function's mappings (MC-1).

    One more batch would have been throttled, had the mappings not stopped receiving.
    """
    design = history.scenario.design
    full = {
        mapping.function: sum(other.maximum_concurrency or 0 for other in design.mappings_of(mapping.function))
        for mapping in mappings
        if design.maximum_concurrency_fits(mapping.function)
    }
    if not full:
        return 0
    return sum(
        isinstance(event, InvocationStarted) and event.running >= full.get(event.function, event.running + 1)
        for event in history.events
    )


def _idle(history: History, mappings: list[EventSourceMapping]) -> str:
    functions = unique(mapping.function for mapping in mappings)
    if any(isinstance(event, Throttled) and event.function in functions for event in history.events):
        return f"only faults throttled {listed(functions)}"
    return f"{listed(functions)} {'was' if len(functions) == 1 else 'were'} never at the limit"


def _throttle(history: History, index: int) -> Throttled:
    event = history.events[index]
    assert isinstance(event, Throttled), f"{index} is noted as a throttle, but is {event}"
    return event


def _violation(history: History, fate: Fate) -> Violation:
    """Blame the throttles and the releases before the move; a poller may release a batch after it."""
    blamed = [index for delivery in fate.throttled for index in (*delivery.throttles, delivery.ended)]
    before = sorted(index for index in blamed if index is not None and index < fate.moved)
    event = fate.event
    return Violation(NAME, _text(history, fate), event.at, event.queue, (event.message,), (*before, fate.moved))


def _text(history: History, fate: Fate) -> str:
    """Return the sentence that clears the function and states the causes that used up the message's deliveries."""
    polled = [delivery for delivery in fate.deliveries if delivery.mapping]
    function = listed(unique(_function(history.scenario.design, delivery) for delivery in polled))
    failures = sum(delivery.ending in {Ending.FAILED, Ending.REPORTED} for delivery in fate.deliveries)
    unseen = all(delivery.ending in _UNSEEN_ENDINGS for delivery in polled)
    if failures:
        although = f"{function} failed on it only {times(failures)}"
    else:
        although = f"{function} never failed on it{', and never saw it' if unseen else ''}"
    moved = f"{message_text(fate.event.message)} went to {fate.event.target}"
    return f"{moved} although {although}: {account(history, fate.deliveries)}."


def account(history: History, deliveries: Sequence[Delivery]) -> str:
    """Return the cause that used up all deliveries of a message, or each cause with its number of deliveries."""
    met = Counter(_met(history, delivery) for delivery in deliveries)
    received = f"it was received {times(len(deliveries))}"
    if len(met) == 1:
        (what,) = met
        return f"{received}, and {'' if len(deliveries) == 1 else 'each time '}{what}"
    return f"{received}: {listed(f'{times(count)} {what}' for what, count in met.items())}"


def _met(history: History, delivery: Delivery) -> str:
    """Return the cause that used up a delivery."""
    if not delivery.mapping:
        return "a client received it"
    if is_dropped(history, delivery.ended):
        return "Lambda's guard against recursive loops dropped it"
    function = _function(history.scenario.design, delivery)
    if delivery.ending is not Ending.THROTTLED:
        return _ENDING_TEXTS[delivery.ending].format(function=function)
    if delivery.fault:
        return f"a fault kept it from {function} ({delivery.fault})"
    own = [throttle for throttle in (_throttle(history, index) for index in delivery.throttles) if not throttle.fault]
    return _busy(own[0]) if own else f"{function} was throttled"


def _busy(throttle: Throttled) -> str:
    """Return the meaning of Lambda's throttle reason (LC-12, LC-13)."""
    match throttle.reason:
        case "ReservedFunctionConcurrentInvocationLimitExceeded" if throttle.limit == 0:
            return f"{throttle.function} was switched off by its reserved concurrency of 0"  # LC-5
        case "ReservedFunctionConcurrentInvocationLimitExceeded":
            return _all_busy(throttle.limit, "reserved", throttle.function)
        case "ConcurrentInvocationLimitExceeded" if throttle.limit == 0:
            return f"the account had no unreserved execution for {throttle.function}"
        case "ConcurrentInvocationLimitExceeded":
            return _all_busy(throttle.limit, "unreserved", "the account")
        case "ReservedFunctionInvocationRateLimitExceeded" | "FunctionInvocationRateLimitExceeded":
            return f"{throttle.function} was invoked faster than Lambda's rates allow"  # LC-6, LC-8
        case reason:
            return f"Lambda throttled {throttle.function} ({reason})"


def _all_busy(limit: int, kind: str, whose: str) -> str:
    all_of_them = f"the only {kind} execution" if limit == 1 else f"all {limit:,} {kind} executions"
    return f"{all_of_them} of {whose} {'was' if limit == 1 else 'were'} busy"


def _function(design: Design, delivery: Delivery) -> str:
    return next(mapping.function for mapping in design.mappings if mapping.name == delivery.mapping)


def _excuse(fate: Fate) -> str:
    faults = listed(unique(delivery.fault for delivery in fate.throttled))
    event = fate.event
    return (
        f"{message_text(event.message)} went to {event.target} unprocessed, "
        f"but each throttling that used up one of its deliveries came from outside: {faults}"
    )


NO_DEAD_LETTERING_BY_THROTTLING = Invariant(
    name=NAME,
    title="no dead-lettering by throttling",
    statement="No message is dead-lettered unprocessed because its function had no execution free for it.",
    applies="To designs that poll a queue with a redrive policy; exercised by throttles, those of faults apart, and "
    "by invocations that fill the maximum concurrency of their function's mappings.",
    unit="times at the limit",
    default=True,
    judge=judge,
)

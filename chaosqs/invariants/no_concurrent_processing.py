"""No message is in two running invocations at once.

The visibility timeout counts from the receive: a batching window, retries after throttles, a cold start and the run
itself use it up (EP-10). If it ends before the invocation, another poller receives the message, and its function works
on it twice at the same time (VT-4).
"""

from collections.abc import Iterator

from chaosqs.invariants.redelivery import DECIDING, excuse, handed, preventable, why_again
from chaosqs.invariants.verdicts import Invariant, function_of, judged, message_text, not_applicable
from chaosqs.model.delivery import Delivery
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict, Violation

NAME = "no-concurrent-processing"


def judge(history: History) -> Verdict:
    """Blame each invocation that gets a message while another invocation still works on it."""
    if not any(mapping.enabled for mapping in history.scenario.design.mappings):
        return not_applicable(NAME, "the design has no mapping that polls")
    violations: list[Violation] = []
    excused: list[str] = []
    candidates: list[Violation] = []
    exercised = 0
    for deliveries in history.deliveries.values():
        if len(deliveries) == 1:
            continue
        started = handed(deliveries)
        exercised += max(0, len(started) - 1)
        for first, second in _overlaps(started):
            fault = excuse(history, first, second)
            if fault:
                excused.append(f"{_text(first, second)}, but only by a fault: {fault}")
                candidates += preventable(history, _violation(history, first, second), fault, DECIDING)
            else:
                violations.append(_violation(history, first, second))
    violations.sort(key=lambda violation: violation.events[-1])
    return judged(
        NAME, violations, exercised, "no message was handed to a function twice", excused, candidates=candidates
    )


def _overlaps(started: list[Delivery]) -> Iterator[tuple[Delivery, Delivery]]:
    """Yield each delivery that started while an earlier one was running, after the latest of those."""
    running: list[Delivery] = []
    for second in started:
        running = [first for first in running if first.ended is None or first.ended > (second.started or 0)]
        if running:
            yield running[-1], second
        running.append(second)


def _text(first: Delivery, second: Delivery) -> str:
    given = f"{message_text(first.message)} was given to {function_of(second.mapping)}"
    return f"{given} while {function_of(first.mapping)} still worked on it"


def _violation(history: History, first: Delivery, second: Delivery) -> Violation:
    assert first.started is not None
    assert second.started is not None
    text = f"{_text(first, second)}: {why_again(history, first)}."
    indexes = (first.received, first.started, second.received, second.started)
    at = history.events[second.started].at
    return Violation(NAME, text, at, second.queue, (second.message,), tuple(sorted(indexes)))


NO_CONCURRENT_PROCESSING = Invariant(
    name=NAME,
    title="no concurrent processing",
    statement="No message is in two running invocations at the same time.",
    applies="To designs with a mapping that polls; exercised when a message is handed to a function again.",
    unit="repeated invocations",
    default=True,
    judge=judge,
)

"""No message that an invocation has succeeded on is processed again.

SQS delivers at least once. A design adds repetitions by late deletes: the function succeeds after the visibility
timeout is over, another poller has the message by then, and the delete has no effect (RH-4, RH-5, EF-6, EF-7). Two
invocations at the same time are judged by `no-concurrent-processing`.
"""

from chaosqs.invariants.redelivery import DECIDING, excuse, handed, preventable
from chaosqs.invariants.verdicts import Invariant, function_of, judged, message_text, not_applicable
from chaosqs.model.delivery import Delivery, Ending
from chaosqs.model.events import Received
from chaosqs.model.history import History
from chaosqs.model.time import clock_text
from chaosqs.model.verdict import Verdict, Violation

NAME = "no-second-processing"


def judge(history: History) -> Verdict:
    """Blame each invocation that gets a message on which an earlier invocation succeeded."""
    if not any(mapping.enabled for mapping in history.scenario.design.mappings):
        return not_applicable(NAME, "the design has no mapping that polls")
    violations: list[Violation] = []
    excused: list[str] = []
    candidates: list[Violation] = []
    exercised = 0
    for deliveries in history.deliveries.values():
        done: Delivery | None = None
        for delivery in deliveries if len(deliveries) == 1 else handed(deliveries):
            if done is not None and _follows(done, delivery):
                fault = excuse(history, done, delivery)
                if fault:
                    excused.append(f"{_text(done, delivery)}, but only by a fault: {fault}")
                    candidates += preventable(history, _violation(history, done, delivery), fault, DECIDING)
                else:
                    violations.append(_violation(history, done, delivery))
            if delivery.ending is Ending.PROCESSED:
                exercised += 1
                done = delivery
    violations.sort(key=lambda violation: violation.events[-1])
    return judged(NAME, violations, exercised, "no function succeeded on a message", excused, candidates=candidates)


def _follows(done: Delivery, delivery: Delivery) -> bool:
    return delivery.started is not None and done.ended is not None and done.ended < delivery.started


def _text(done: Delivery, delivery: Delivery) -> str:
    given = f"{message_text(done.message)} was given to {function_of(delivery.mapping)}"
    return f"{given} although {function_of(done.mapping)} had succeeded on it"


def _violation(history: History, done: Delivery, delivery: Delivery) -> Violation:
    assert done.ended is not None
    assert delivery.started is not None
    text = f"{_text(done, delivery)}: {_why(history, done, delivery)}."
    indexes = tuple(sorted((done.received, done.ended, delivery.received, delivery.started)))
    at = history.events[delivery.started].at
    return Violation(NAME, text, at, delivery.queue, (delivery.message,), indexes)


def _why(history: History, done: Delivery, delivery: Delivery) -> str:
    received, ended = history.events[done.received], history.events[done.ended or 0]
    assert isinstance(received, Received), f"{done.received} is noted as a receive, but is {received}"
    if delivery.received < done.received:
        held = history.events[delivery.started or 0].at - history.events[delivery.received].at
        return f"its poller had held it for {clock_text(held)}"
    late = ended.at - received.visible_at
    if late < 0:
        return "it was not deleted before it came back"
    return (
        f"that was {clock_text(late)} after its visibility timeout of {clock_text(received.visible_at - received.at)}"
    )


NO_SECOND_PROCESSING = Invariant(
    name=NAME,
    title="no second processing",
    statement="No message that an invocation has succeeded on is given to another one.",
    applies="To designs with a mapping that polls; exercised when a function succeeds on a message.",
    unit="messages processed",
    default=True,
    judge=judge,
)

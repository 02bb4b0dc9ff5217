"""No healthy message is dead-lettered because a poison message failed its batches.

Without partial batch responses, one message fails its whole batch, and each failure costs every message of the batch a
delivery (EF-2, EF-3). A handler that hangs or dies because of one message fails the whole batch even with partial batch
responses (PB-10). Only a batch size of 1 prevents that, so it is excused where partial batch responses are on; more
receives save the healthy message by chance only. Code that raises instead of reporting a failure is not excused, except
on FIFO queues for what stands behind the poison message in its batch: to keep the order, code must report that as
failed, too (PB-15), and raising has the same effect.

A model states which messages are poison. Real code fails on a message if it failed when the message was alone in its
batch, or reported it as failed; it does not if it ever succeeded on it. If a run shows neither, the verdict is
unsettled until the message has been run alone (`History.alone`).
"""

from collections.abc import Sequence

import attrs

from chaosqs.invariants.verdicts import (
    Invariant,
    function_of,
    judged,
    listed,
    message_text,
    messages_text,
    not_applicable,
    times,
    unique,
    unsettled,
)
from chaosqs.model.delivery import Delivery, Ending, Fate
from chaosqs.model.design import Design
from chaosqs.model.events import InvocationEnded
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict, Violation

NAME = "no-bystander-dead-lettered"


def judge(history: History) -> Verdict:
    """Blame each dead-lettering of a healthy message that the failures of a poison message helped to bring about."""
    design = history.scenario.design
    risky = _risky(design)
    if not risky:
        return not_applicable(
            NAME, "no mapping reads batches of more than one message from a queue with a redrive policy"
        )
    exercised, violations, excused, candidates = 0, list[Violation](), list[str](), list[Violation]()
    suspects = _Suspects(history)
    for fate in history.dead_lettered:
        own = [delivery for delivery in fate.deliveries if delivery.mapping in risky and not delivery.fault]
        exercised += any(delivery.ending in {Ending.FAILED, Ending.REPORTED} for delivery in own)
        if fate.processed:
            continue
        spoilt, unknown = suspects.spoilt(fate.event.message, own)
        if unknown:
            candidates.append(_violation(history, fate, [(delivery, _others(history, delivery)) for delivery in own]))
        elif spoilt and all(_excused(history, delivery, culprits) for delivery, culprits in spoilt):
            excused.append(_violation(history, fate, spoilt).text)
        elif spoilt:
            violations.append(_violation(history, fate, spoilt))
    if candidates and not violations:
        return unsettled(NAME, candidates, exercised, suspects.unknown)
    nothing = "no message was dead-lettered after a function had failed on it by itself"
    return judged(NAME, violations, exercised, nothing, excused)


def _risky(design: Design) -> list[str]:
    return [
        mapping.name
        for mapping in design.mappings
        if mapping.enabled and mapping.batch_size > 1 and design.queue(mapping.queue).redrive is not None
    ]


@attrs.define
class _Suspects:
    """Finds the messages that may have made a batch fail."""

    history: History
    unknown: dict[tuple[str, int], None] = attrs.field(factory=dict[tuple[str, int], None])
    """Mappings and messages of which nothing shows whether the function fails on them."""

    def spoilt(
        self, message: int, own: Sequence[Delivery]
    ) -> tuple[list[tuple[Delivery, tuple[int, ...]]], dict[tuple[str, int], None]]:
        """Return the deliveries that other messages made fail, and these; and what has to be known before.

        There are no such deliveries if the message itself may have made one fail.
        """
        unknown = dict[tuple[str, int], None]()
        failed = [delivery for delivery in own if delivery.ending is Ending.FAILED]
        found = [(delivery, self._of(message, delivery, unknown)) for delivery in failed]
        if any(culprits is None for _, culprits in found):
            return [], {}
        self.unknown.update(unknown)
        return [(delivery, culprits) for delivery, culprits in found if culprits], unknown

    def _of(self, message: int, delivery: Delivery, unknown: dict[tuple[str, int], None]) -> tuple[int, ...] | None:
        """Return the other messages that made a batch fail: none if it failed by chance, None if `message` may have."""
        event = _end(self.history, delivery)
        if self.history.is_real(event.function):
            return self._of_real(message, event, unknown)
        behaviour = self.history.scenario.behaviour(event.function)
        if message in behaviour.poison:
            return None
        reports = _reports(self.history.scenario.design, delivery.mapping)
        if reports and not (behaviour.hangs or behaviour.crashes):
            return ()
        return tuple(other for other in event.messages if other in behaviour.poison)

    def _of_real(
        self, message: int, event: InvocationEnded, unknown: dict[tuple[str, int], None]
    ) -> tuple[int, ...] | None:
        fails = {other: self.history.fails_alone(event.mapping, other) for other in event.messages}
        if fails[message] or all(fails[other] is False for other in event.messages if other != message):
            return None
        culprits = tuple(other for other in event.messages if fails[other])
        if fails[message] is None or not culprits:
            unknown.update(((event.mapping, other), None) for other in event.messages if fails[other] is None)
        return culprits


def _end(history: History, delivery: Delivery) -> InvocationEnded:
    event = history.events[delivery.ended or 0]
    assert isinstance(event, InvocationEnded), f"{delivery.ended} is noted as the end of {delivery}, but is {event}"
    return event


def _others(history: History, delivery: Delivery) -> tuple[int, ...]:
    """Return the other messages of a delivery's batch."""
    if delivery.ending is not Ending.FAILED:
        return ()
    return tuple(other for other in _end(history, delivery).messages if other != delivery.message)


def _reports(design: Design, name: str) -> bool:
    return any(mapping.report_batch_item_failures for mapping in design.mappings if mapping.name == name)


def _excused(history: History, delivery: Delivery, culprits: Sequence[int]) -> bool:
    """Return True if partial batch responses are on and could not help: the function hung or died, or kept an order."""
    event, design = _end(history, delivery), history.scenario.design
    could_report = history.is_real(event.function) and event.outcome == "raised"
    if could_report and design.queue(delivery.queue).fifo:
        places = {message: place for place, message in enumerate(event.messages)}
        could_report = all(places[culprit] > places[delivery.message] for culprit in culprits)
    return _reports(design, delivery.mapping) and not could_report


def _violation(history: History, fate: Fate, batches: Sequence[tuple[Delivery, tuple[int, ...]]]) -> Violation:
    spoilt = [(delivery, culprits) for delivery, culprits in batches if culprits]
    event, ends = fate.event, [delivery.ended for delivery, _ in spoilt]
    culprits = tuple(dict.fromkeys(culprit for _, culprits in spoilt for culprit in culprits))
    indexes = sorted(index for index in ends if index is not None and index < fate.moved)
    functions = listed(unique(function_of(delivery.mapping) for delivery, _ in spoilt))
    moved = f"{message_text(event.message)} went to {event.target} although {functions} did not fail because of it"
    why = _why(history, spoilt, functions)
    text = f"{moved}: {times(len(spoilt))} it was in a batch that failed with {messages_text(culprits)}{why}."
    return Violation(NAME, text, event.at, event.queue, (event.message, *culprits), (*indexes, fate.moved))


def _why(history: History, spoilt: Sequence[tuple[Delivery, tuple[int, ...]]], functions: str) -> str:
    """Return the clause that names what lets one message fail the whole batch."""
    if not any(_reports(history.scenario.design, delivery.mapping) for delivery, _ in spoilt):
        return "; report_batch_item_failures is off"
    raised = any(not _excused(history, delivery, culprits) for delivery, culprits in spoilt)
    return f"; {functions} raised an error instead of reporting the failure" if raised else ""


NO_BYSTANDER_DEAD_LETTERED = Invariant(
    name=NAME,
    title="no bystander dead-lettered",
    statement="No healthy message is dead-lettered because a poison message failed its batches.",
    applies="To designs with batches of more than one message from a queue with a redrive policy; exercised when a "
    "message is dead-lettered on which a function had failed.",
    unit="messages dead-lettered after failures",
    default=True,
    judge=judge,
)

"""No healthy message is dead-lettered because of a poison message in its batches.

Without partial batch responses, one message fails its whole batch, and each failure costs every message of the batch a
delivery (EF-2, EF-3). A handler that dies because of one message fails the whole batch even with partial batch
responses (PB-10). Only a batch size of 1 prevents that, so it is excused where partial batch responses are on.

A model states which messages are poison. Of real code only the failed batches are known: a message counts as a
bystander if every batch that failed with it also held another message on which the function never succeeded.
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
    exercised, violations, excused = 0, list[Violation](), list[str]()
    suspects = _Suspects(history, _processed(history))
    for fate in history.dead_lettered:
        own = [delivery for delivery in fate.deliveries if delivery.mapping in risky and not delivery.fault]
        exercised += any(delivery.ending in {Ending.FAILED, Ending.REPORTED} for delivery in own)
        failed = [delivery for delivery in own if delivery.ending is Ending.FAILED]
        spoilt = [] if fate.processed else suspects.spoilt(fate.event.message, failed)
        if spoilt and all(_reports(design, delivery.mapping) for delivery, _ in spoilt):
            excused.append(_violation(history, fate, spoilt).text)
        elif spoilt:
            violations.append(_violation(history, fate, spoilt))
    nothing = "no message was dead-lettered after a function had failed on it by itself"
    return judged(NAME, violations, exercised, nothing, excused=excused)


def _risky(design: Design) -> list[str]:
    return [
        mapping.name
        for mapping in design.mappings
        if mapping.enabled and mapping.batch_size > 1 and design.queue(mapping.queue).redrive is not None
    ]


def _processed(history: History) -> frozenset[int]:
    return frozenset(
        message
        for message, deliveries in history.deliveries.items()
        if any(delivery.ending is Ending.PROCESSED for delivery in deliveries)
    )


@attrs.frozen
class _Suspects:
    """Finds the messages that may have made a batch fail."""

    history: History
    processed: frozenset[int]
    """Messages on which some invocation succeeded."""

    def spoilt(self, message: int, failed: Sequence[Delivery]) -> list[tuple[Delivery, tuple[int, ...]]]:
        """Return the deliveries that other messages made fail, and these; none if the message itself may have."""
        found = [(delivery, self._of(message, delivery)) for delivery in failed]
        if any(culprits is None for _, culprits in found):
            return []
        return [(delivery, culprits) for delivery, culprits in found if culprits]

    def _of(self, message: int, delivery: Delivery) -> tuple[int, ...] | None:
        """Return the other messages that made a batch fail: none if it failed by chance, None if `message` may have."""
        event = self.history.events[delivery.ended or 0]
        assert isinstance(event, InvocationEnded), f"{delivery.ended} is noted as the end of {delivery}, but is {event}"
        behaviour = self.history.scenario.behaviour(event.function)
        if behaviour.handler is not None:
            others = (other for other in event.messages if other != message and other not in self.processed)
            return tuple(others) or None
        if message in behaviour.poison:
            return None
        reports = _reports(self.history.scenario.design, delivery.mapping)
        if reports and not (behaviour.hangs or behaviour.crashes):
            return ()
        return tuple(other for other in event.messages if other in behaviour.poison)


def _reports(design: Design, name: str) -> bool:
    return any(mapping.report_batch_item_failures for mapping in design.mappings if mapping.name == name)


def _violation(history: History, fate: Fate, spoilt: Sequence[tuple[Delivery, tuple[int, ...]]]) -> Violation:
    event, ends = fate.event, [delivery.ended for delivery, _ in spoilt]
    culprits = tuple(dict.fromkeys(culprit for _, culprits in spoilt for culprit in culprits))
    indexes = sorted(index for index in ends if index is not None and index < fate.moved)
    functions = listed(unique(function_of(delivery.mapping) for delivery, _ in spoilt))
    moved = f"{message_text(event.message)} went to {event.target} although {functions} did not fail because of it"
    design = history.scenario.design
    reported = any(_reports(design, delivery.mapping) for delivery, _ in spoilt)
    off = "" if reported else "; report_batch_item_failures is off"
    text = f"{moved}: {times(len(spoilt))} it was in a batch that failed with {messages_text(culprits)}{off}."
    return Violation(NAME, text, event.at, event.queue, (event.message, *culprits), (*indexes, fate.moved))


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

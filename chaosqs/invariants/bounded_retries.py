"""No message is delivered without end: at most max_receive_count times, or, without one, a stated number of times.

Without a redrive policy a message that always fails comes back until its retention is over: every visibility timeout
for days, on a FIFO queue with its whole group waiting (EF-3, FF-19). Not judged by default: the template already shows
that a queue has no dead-letter queue, and any message that fails would be a violation.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial

import attrs

from chaosqs.invariants.no_recursive_loop import is_dropped
from chaosqs.invariants.redelivery import DECIDING, RedriveLimits, preventable
from chaosqs.invariants.verdicts import Invariant, function_of, judged, message_text, not_applicable, times
from chaosqs.model.delivery import Delivery, Ending
from chaosqs.model.events import Operated
from chaosqs.model.history import History
from chaosqs.model.time import clock_text
from chaosqs.model.verdict import Verdict, Violation

NAME = "bounded-retries"
_DEFAULT_MOST = 20


def bounded_retries(most: int = _DEFAULT_MOST) -> Invariant:
    """Return the invariant that allows `most` deliveries, 1 or more, where no redrive policy sets the limit."""
    name = NAME if most == _DEFAULT_MOST else f"{NAME}-up-to-{most}"
    return Invariant(
        name=name,
        title=name.replace("-", " "),
        statement="No message is delivered more often than max_receive_count says, nor, where no redrive policy does, "
        f"more than {times(most)} without success.",
        applies="To designs with a mapping that polls; exercised when a message is received again.",
        unit="repeated deliveries",
        default=False,
        judge=partial(_judge, name, most),
    )


def named(name: str) -> Invariant | None:
    """Return the invariant of that name, or None if it is not of this family."""
    found = re.fullmatch(rf"{NAME}-up-to-(\d+)", name)
    return None if found is None else bounded_retries(int(found[1]))


def _judge(name: str, most: int, history: History) -> Verdict:
    """Blame, for each message, the first delivery over its limit."""
    if not any(mapping.enabled for mapping in history.scenario.design.mappings):
        return not_applicable(name, "the design has no mapping that polls")
    retries = _Retries(name, most, history, _granted(history))
    exercised = 0
    for deliveries in history.deliveries.values():
        if len(deliveries) > 1:
            exercised += len(deliveries) - 1
            retries.count(deliveries)
    retries.violations.sort(key=lambda violation: violation.events[-1])
    idle, excused = "no message was received twice", retries.excused
    return judged(name, retries.violations, exercised, idle, excused, candidates=retries.candidates)


def _granted(history: History) -> dict[str, int]:
    """Return the largest max_receive_count that each queue had in a run."""
    limits = RedriveLimits.of(history.scenario.design)
    granted = dict(limits.counts)
    for _, event in history.each(Operated):
        limits.change(event)
        granted = {queue: max(count, limits.counts[queue]) for queue, count in granted.items()}
    return granted


@attrs.define
class _Retries:
    """The violations and excused findings of one run."""

    name: str
    most: int
    history: History
    granted: Mapping[str, int]
    violations: list[Violation] = attrs.field(factory=list[Violation])
    excused: list[str] = attrs.field(factory=list[str])
    candidates: list[Violation] = attrs.field(factory=list[Violation])

    def count(self, deliveries: Sequence[Delivery]) -> None:
        """Count the deliveries of one message, queue by queue; a repeated receive attempt counts once (FF-20)."""
        processed = any(delivery.ending is Ending.PROCESSED for delivery in deliveries)
        for queue in dict.fromkeys(delivery.queue for delivery in deliveries):
            own = {delivery.receive_count: delivery for delivery in deliveries if delivery.queue == queue}
            most = self.granted.get(queue)
            if most is None and not processed and len(own) > self.most:
                self._endless(list(own.values()))
            elif most is not None and len(own) > most:
                self._too_many(list(own.values()), most)

    def _too_many(self, own: Sequence[Delivery], most: int) -> None:
        received = f"{message_text(own[0].message)} was received {times(len(own))} from {own[0].queue}"
        self.violations.append(self._violation(own[most], f"{received}: max_receive_count is {most:,}."))

    def _endless(self, own: Sequence[Delivery]) -> None:
        """Blame the first delivery over the limit, or excuse it if those without a fault stay within the limit."""
        faults = [delivery.fault for delivery in own if delivery.fault]
        first, last = own[0], own[-1]
        span = clock_text(self.history.events[last.received].at - self.history.events[first.received].at)
        received = f"{message_text(first.message)} was received {times(len(own))} from {first.queue} in {span}"
        never = f"{function_of(last.mapping)} never succeeded on it" if last.mapping else "nobody deleted it"
        violation = self._violation(own[self.most], f"{received}, and {never}: {self._why_endless(own)}.")
        if len(own) - len(faults) <= self.most:
            self.excused.append(f"{received} and {never}, but faults had their share: {faults[0]}")
            self.candidates += preventable(self.history, violation, faults[0], DECIDING)
        else:
            self.violations.append(violation)

    def _why_endless(self, own: Sequence[Delivery]) -> str:
        """Return the reason why a message always came back: the guard that dropped it (LX-17), or no redrive policy."""
        if all(is_dropped(self.history, delivery.ended) for delivery in own[-self.most :]):
            return (
                f"Lambda's guard against recursive loops dropped it each time, and {own[0].queue} has no redrive policy"
            )
        return f"{own[0].queue} has no redrive policy"

    def _violation(self, delivery: Delivery, text: str) -> Violation:
        index, message = delivery.received, delivery.message
        return Violation(self.name, text, self.history.events[index].at, delivery.queue, (message,), (index,))


BOUNDED_RETRIES = bounded_retries()

"""Whether a scenario violates the invariant in question: simulate, judge, and attribute to the mapping in question."""

from __future__ import annotations

import attrs

from chaosqs.errors import InvalidInput, SimulationError
from chaosqs.invariants import Invariant
from chaosqs.model.delivery import Ending, Fate
from chaosqs.model.design import Design
from chaosqs.model.events import Expired
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict, Violation
from chaosqs.search.simplicity import ending
from chaosqs.simulation.run import isolated

_DEVIATIONS = 2
"""So many standard deviations of a count are seed (95 %)."""


@attrs.frozen
class Answer:
    """What one run came to."""

    violated: bool
    served: int
    """Messages of the queue in question that some invocation was given."""
    processed: int
    """Messages on which some invocation succeeded."""
    expired: int
    """Messages whose retention ended, in whichever queue."""
    unread: int
    """Those of them that expired in the queue that they were sent to: nobody can look into what they were."""
    given_up: int
    """Messages that were dead-lettered although no invocation had failed on them, or one had succeeded."""
    drained: int | None
    """When everything was done, in milliseconds; None: it was not."""

    def cures(self, before: Answer, *, by_chance: bool = False) -> bool:
        """Tell whether this run is free of the violation that `before` had, and at no other price.

        No message less is served or processed, none more expires or is given up, and it comes to an end if that did.
        `by_chance`: both are several draws taken together, so a number counts as more only beyond what seed explains.
        """

        def more(now: int, once: int) -> bool:
            return now > once + (_DEVIATIONS * max(0, once) ** 0.5 if by_chance else 0)

        finished = self.drained is not None or before.drained is None
        failed = more(before.served - self.processed, before.served - before.processed)
        lost = more(self.expired, before.expired) or more(self.unread, before.unread)
        given_up = more(self.given_up, before.given_up)
        return not (self.violated or self.served < before.served or failed or lost or given_up) and finished

    def __add__(self, other: Answer) -> Answer:
        """Return what two runs come to, taken together: they are drained if each of them is."""
        ends = (self.drained, other.drained)
        return Answer(
            violated=self.violated or other.violated,
            served=self.served + other.served,
            processed=self.processed + other.processed,
            expired=self.expired + other.expired,
            unread=self.unread + other.unread,
            given_up=self.given_up + other.given_up,
            drained=None if None in ends else max(end for end in ends if end is not None),
        )


@attrs.define
class Oracle:
    """Answers for one invariant on one queue, and counts and remembers its simulations."""

    invariant: Invariant
    queue: str | None
    """Violations about messages of other queues do not count; None: all count."""
    simulations: int = 0
    _answers: dict[Scenario, Answer] = attrs.field(factory=dict[Scenario, Answer])

    def judge(self, history: History) -> Verdict:
        """Return the verdict on a history, with the violations of the queue in question only."""
        return attributed(self.invariant.judge(history), self.queue)

    def answer(self, scenario: Scenario) -> Answer:
        """Return what a scenario's run comes to."""
        known = self._answers.get(scenario)
        if known is None:
            self.simulations += 1
            history = isolated(scenario)
            violated = self.judge(history).status is Status.VIOLATED
            known = self._answers[scenario] = _answer(history, self.queue, violated=violated)
        return known

    def violated(self, scenario: Scenario) -> bool:
        """Tell whether a scenario violates the invariant."""
        return self.answer(scenario).violated

    def variation(self, scenario: Scenario) -> Answer | None:
        """Return what a variation of a scenario comes to; None where it cannot be simulated."""
        try:
            return self.answer(scenario)
        except (InvalidInput, SimulationError):
            return None

    def redesigned(self, scenario: Scenario, design: Design) -> Answer | None:
        """Return what a scenario comes to with another design; None where it does not fit, or cannot be simulated."""
        try:
            return self.variation(ending(attrs.evolve(scenario, design=design)))
        except InvalidInput:
            return None


def _answer(history: History, queue: str | None, *, violated: bool) -> Answer:
    deliveries = history.deliveries.values()
    expired = [event for _, event in history.each(Expired)]
    return Answer(
        violated,
        served=sum(any(one.started is not None and queue in {None, one.queue} for one in each) for each in deliveries),
        processed=sum(any(one.ending is Ending.PROCESSED for one in each) for each in deliveries),
        expired=len(expired),
        unread=sum(
            event.queue == history.sent[event.message].queue for event in expired if event.message in history.sent
        ),
        given_up=sum(fate.processed or not _failed(fate) for fate in history.dead_lettered),
        drained=history.drained_at_ms,
    )


def _failed(fate: Fate) -> bool:
    return any(delivery.ending in {Ending.FAILED, Ending.REPORTED} for delivery in fate.deliveries)


def attributed(verdict: Verdict, queue: str | None) -> Verdict:
    """Return a verdict without the violations about messages of other queues than the one given."""
    if queue is None or verdict.status is not Status.VIOLATED:
        return verdict
    own = tuple(violation for violation in verdict.violations if _concerns(violation, queue))
    status = Status.VIOLATED if own else Status.HOLDS
    return attrs.evolve(verdict, status=status, violations=own)


def _concerns(violation: Violation, queue: str) -> bool:
    return violation.queue in {"", queue}

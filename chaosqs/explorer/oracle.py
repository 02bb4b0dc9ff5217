"""Whether a scenario violates the invariant in question: simulate, judge, and attribute to the mapping in question."""

from __future__ import annotations

import attrs

from chaosqs.errors import InvalidInput, SimulationError
from chaosqs.explorer.order import ending
from chaosqs.invariants import Invariant
from chaosqs.model.delivery import Ending
from chaosqs.model.design import Design
from chaosqs.model.event import Expired
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict, Violation
from chaosqs.simulator.run import isolated


@attrs.frozen
class Answer:
    """What one run came to."""

    violated: bool
    processed: int
    """Messages on which some invocation succeeded."""
    expired: int
    """Messages whose retention ended."""
    drained: int | None
    """When everything was done, in milliseconds; None: it was not."""

    def cures(self, before: Answer) -> bool:
        """Tell whether this run is free of the violation that `before` had, and at no other price.

        No message less is processed, none more expires, and it comes to an end if that did.
        """
        finished = self.drained is not None or before.drained is None
        kept = self.processed >= before.processed and self.expired <= before.expired
        return not self.violated and finished and kept


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
            expired = sum(isinstance(event, Expired) for event in history.events)
            known = self._answers[scenario] = Answer(violated, _processed(history), expired, history.drained_at)
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


def _processed(history: History) -> int:
    return sum(
        any(delivery.ending is Ending.PROCESSED for delivery in deliveries)
        for deliveries in history.deliveries.values()
    )


def attributed(verdict: Verdict, queue: str | None) -> Verdict:
    """Return a verdict without the violations about messages of other queues than the one given."""
    if queue is None or verdict.status is not Status.VIOLATED:
        return verdict
    own = tuple(violation for violation in verdict.violations if _concerns(violation, queue))
    status = Status.VIOLATED if own else Status.HOLDS
    return attrs.evolve(verdict, status=status, violations=own)


def _concerns(violation: Violation, queue: str) -> bool:
    return violation.queue in {"", queue}

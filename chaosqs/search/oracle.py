"""The oracle of a search: simulates a scenario, judges one invariant, and keeps the violations of one queue."""

from __future__ import annotations

import attrs

from chaosqs.errors import InvalidInput, SimulationError
from chaosqs.invariants import Invariant
from chaosqs.invariants.redelivery import ordinary
from chaosqs.model.delivery import Ending, Fate
from chaosqs.model.design import Design
from chaosqs.model.events import Expired
from chaosqs.model.explanation import Toll
from chaosqs.model.history import Alone, History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict, Violation
from chaosqs.search.meter import Meter
from chaosqs.search.simplicity import ending
from chaosqs.simulation.alone import Attempt, attempts
from chaosqs.simulation.run import simulate

_DEVIATIONS = 2
"""Standard deviations of a count that chance explains (95 %)."""


@attrs.frozen
class RunResult:
    """The result of one run, or the sum of several."""

    violated: bool
    served: int
    """Messages of the oracle's queue that some invocation received."""
    processed: int
    """Messages that some invocation processed."""
    expired: int
    """Messages whose retention ended, in any queue."""
    unread: int
    """Those of them that expired in the queue that they were sent to, so that nobody can inspect them."""
    given_up: int
    """Messages that were dead-lettered although no invocation had failed on them, or one had succeeded."""
    drained: int | None
    """Time at which everything was done, in milliseconds; None if it was not."""
    excused: int = 0
    """Violations that do not count."""

    def cures(self, before: RunResult, *, by_chance: bool = False) -> bool:
        """Return True if this run is free of the violation in `before` and no worse in any other respect.

        As many messages are served and processed, no more expire or are given up, no violation is merely excused now,
        and the run ends if `before` did.
        `by_chance`: both are sums of several draws, so a count is worse only if chance does not explain the difference.
        """
        return not self.violated and not self.tolls(before, by_chance=by_chance)

    def tolls(self, before: RunResult, *, by_chance: bool = False) -> tuple[Toll, ...]:
        """Return what is worse in this run than in another one, as `cures` compares them; empty: nothing."""

        def more(now: int, once: int) -> bool:
            return now > once + (_DEVIATIONS * max(0, once) ** 0.5 if by_chance else 0)

        worse: dict[Toll, bool] = {
            "not_received": self.served < before.served,
            "not_processed": more(before.served - self.processed, before.served - before.processed),
            "expired": more(self.expired, before.expired) or more(self.unread, before.unread),
            "given_up": more(self.given_up, before.given_up),
            "excused": more(self.excused, before.excused),
            "not_finished": self.drained is None and before.drained is not None,
        }
        return tuple(toll for toll, is_worse in worse.items() if is_worse)

    def __add__(self, other: RunResult) -> RunResult:
        """Return the sum of two results; it is drained if both are."""
        ends = (self.drained, other.drained)
        return RunResult(
            violated=self.violated or other.violated,
            served=self.served + other.served,
            processed=self.processed + other.processed,
            expired=self.expired + other.expired,
            unread=self.unread + other.unread,
            given_up=self.given_up + other.given_up,
            drained=None if None in ends else max(end for end in ends if end is not None),
            excused=self.excused + other.excused,
        )


# Verdicts that one history does not settle ----------------------------------------------------------------------------


@attrs.define(eq=False)
class AloneOutcomes:
    """The outcomes of messages that were run alone, which settle verdicts; each message and code is run once.

    Also settles excuses: a fault excuses a violation only if an ordinary configuration has it, too.
    """

    known: dict[tuple[object, ...], Alone | None] = attrs.field(factory=dict["tuple[object, ...]", "Alone | None"])
    """Outcomes by all that decides them; None: the message could not be run alone."""
    prevented: dict[tuple[str, Scenario], bool] = attrs.field(factory=dict["tuple[str, Scenario]", bool])
    """True where an ordinary configuration prevents what faults excuse, by invariant and scenario."""
    usual: tuple[Scenario, History | None] | None = None
    """The latest run of an ordinary configuration; None instead of its history: it could not be simulated."""

    def settled(self, invariant: Invariant, history: History) -> Verdict:
        """Return the verdict on a history, after the runs that settle it; it stays unsettled if they cannot be made."""
        verdict = invariant.judge(history)
        while not history.deployed and (wanted := [key for key in verdict.unsettled if key not in history.alone]):
            tried = {key: self._outcome(attempt) for key, attempt in attempts(history, wanted).items()}
            found = {key: outcome for key, outcome in tried.items() if outcome is not None}
            if not found:
                return verdict
            history = attrs.evolve(history, alone={**history.alone, **found})
            verdict = invariant.judge(history)
        if verdict.candidates and not history.deployed and self._prevented(invariant, history.scenario):
            return Verdict(verdict.invariant, Status.VIOLATED, "", verdict.exercised, verdict.candidates)
        return verdict

    def _prevented(self, invariant: Invariant, scenario: Scenario) -> bool:
        """Return whether an ordinary configuration has no violation under the same faults and seed, nor an excuse."""
        known = self.prevented.get((invariant.name, scenario))
        if known is None:
            history = self._under(attrs.evolve(scenario, design=ordinary(scenario.design)))
            verdict = None if history is None else self.settled(invariant, history)
            known = verdict is not None and not (verdict.violations or verdict.excused)
            self.prevented[invariant.name, scenario] = known
        return known

    def _under(self, scenario: Scenario) -> History | None:
        """Return the history of an ordinary configuration; the last one is kept for the next invariant."""
        if self.usual is None or self.usual[0] != scenario:
            try:
                self.usual = scenario, simulate(scenario if scenario.until is None else ending(scenario))
            except (InvalidInput, SimulationError):
                self.usual = scenario, None
        return self.usual[1]

    def _outcome(self, attempt: Attempt) -> Alone | None:
        key = attempt.key
        if key not in self.known:
            try:
                self.known[key] = attempt.run()
            except SimulationError:
                self.known[key] = None
        return self.known[key]


class OutOfBudget(Exception):
    """Raised when an oracle has used all the simulations or the time that it may use."""


@attrs.define
class Oracle:
    """Results for one invariant on one queue; counts its simulations and remembers their results."""

    invariant: Invariant
    queue: str | None
    """Violations about messages of other queues do not count; None: all count."""
    simulations: int = 0
    limit: int | None = None
    """Maximum simulations; None: no limit."""
    alone: AloneOutcomes = attrs.field(factory=AloneOutcomes)
    """Settles the verdicts that one history does not."""
    meter: Meter = attrs.field(factory=Meter)
    """The time that its simulations may take."""
    _results: dict[Scenario, RunResult] = attrs.field(factory=dict[Scenario, RunResult])

    def judge(self, history: History) -> Verdict:
        """Return the verdict on a history, with the violations of the oracle's queue only."""
        return attributed(self.alone.settled(self.invariant, history), self.queue)

    @property
    def spent(self) -> bool:
        """True if no further simulation may begin."""
        return (self.limit is not None and self.simulations >= self.limit) or self.meter.over

    def count(self) -> None:
        """Count a simulation that is about to begin. Raises `OutOfBudget`."""
        if self.spent:
            raise OutOfBudget
        self.simulations += 1
        self.meter.beat()

    def result(self, scenario: Scenario) -> RunResult:
        """Return the result of a scenario's run."""
        known = self._results.get(scenario)
        if known is None:
            self.count()
            history = simulate(scenario)
            known = self._results[scenario] = _result_of(history, self.queue, self.judge(history))
        return known

    def violated(self, scenario: Scenario) -> bool:
        """Return True if a scenario violates the invariant."""
        return self.result(scenario).violated

    def confirms(self, scenario: Scenario) -> bool:
        """Return True if a scenario violates the invariant, and False, too, if no simulation may begin."""
        try:
            return self.violated(scenario)
        except OutOfBudget:
            return False

    def variation(self, scenario: Scenario) -> RunResult | None:
        """Return the result of a scenario; None if it cannot be simulated."""
        try:
            return self.result(scenario)
        except (InvalidInput, SimulationError):
            return None

    def redesigned(self, scenario: Scenario, design: Design) -> RunResult | None:
        """Return the result of a scenario with another design; None if it does not fit or cannot be simulated."""
        try:
            return self.variation(ending(attrs.evolve(scenario, design=design)))
        except InvalidInput:
            return None


def _result_of(history: History, queue: str | None, verdict: Verdict) -> RunResult:
    deliveries = history.deliveries.values()
    expired = [event for _, event in history.each(Expired)]
    return RunResult(
        verdict.status is Status.VIOLATED,
        served=sum(any(one.started is not None and queue in {None, one.queue} for one in each) for each in deliveries),
        processed=sum(any(one.ending is Ending.PROCESSED for one in each) for each in deliveries),
        expired=len(expired),
        unread=sum(
            event.queue == history.sent[event.message].queue for event in expired if event.message in history.sent
        ),
        given_up=sum(fate.processed or not _failed(fate) for fate in history.dead_lettered),
        drained=history.drained_at_ms,
        excused=len(verdict.excused),
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

"""The result of a search for one invariant on one mapping, and the tally of cases that it is made from."""

from collections import Counter
from collections.abc import Iterable, Mapping

import attrs

from chaosqs.lambda_.invocation import RESPONSE_LIMIT, TOO_LARGE, UNANSWERABLE
from chaosqs.lambda_.output import first_error
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.events import InvocationEnded, ServiceCalled
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict

# The tally of one invariant's cases ----------------------------------------------------------------------------------

_MAX_EXCUSES = 10  # excuses of verdicts that are kept for the report


@attrs.define
class Tally:
    """Counts of the cases up to the first violation; the later cases of shrinking do not count."""

    cases: int = 0
    exercised: int = 0
    statuses: Counter[Status] = attrs.field(factory=Counter[Status])
    reasons: Counter[tuple[Status, str]] = attrs.field(factory=Counter[tuple[Status, str]])
    excused: dict[str, None] = attrs.field(factory=dict[str, None])
    coverage: Counter[str] = attrs.field(factory=Counter[str])
    violating: Scenario | None = None
    """The scenario that violated the invariant: the first, or the smallest known so far."""

    def add(self, scenario: Scenario, verdict: Verdict, marks: Iterable[str]) -> None:
        """Count one case."""
        self.cases += 1
        self.exercised += verdict.exercised
        self.statuses[verdict.status] += 1
        self.reasons[verdict.status, verdict.reason] += 1
        self.coverage.update(marks)
        if len(self.excused) < _MAX_EXCUSES:
            self.excused.update(dict.fromkeys(verdict.excused[:1]))
        if verdict.status is Status.VIOLATED:
            self.violating = scenario

    def verdict(self, invariant: str) -> Verdict:
        """Return the verdict on all cases together, none of which is violated.

        It holds only if the invariant could have failed in some case and no verdict was inconclusive.
        """
        excused = tuple(self.excused)
        for status in (Status.INCONCLUSIVE, Status.HOLDS, Status.NOT_EXERCISED):
            if self.statuses[status]:
                break
        else:
            status = Status.NOT_APPLICABLE
        reason = "" if status is Status.HOLDS else self._most_frequent_reason(status)
        return Verdict(invariant, status, reason, self.exercised if status is Status.HOLDS else 0, excused=excused)

    def _most_frequent_reason(self, status: Status) -> str:
        own = {reason: count for (of, reason), count in self.reasons.items() if of is status}
        return max(own, key=lambda reason: own[reason], default="")


# Real code that never succeeded --------------------------------------------------------------------------------------


@attrs.define
class CodeTally:
    """The invocations of one mapping's real code in all cases of a search; those that a fault ended do not count."""

    mapping: str
    handler: str = ""
    """File and line of its handler."""
    ended: int = 0
    succeeded: int = 0
    """Number of those that succeeded on some message."""
    first: InvocationEnded | None = None
    """The first one that failed; one of which the place of the error is known, if there is one."""
    reason: str = ""
    """Log of the error by the first one that reported all its messages, or the calls of it that failed."""

    def add(self, history: History) -> None:
        """Count the invocations of one case."""
        for _, end in history.each(InvocationEnded):
            if end.mapping != self.mapping or end.fault:
                continue
            self.ended += 1
            if end.outcome == "succeeded" and not set(end.messages) <= set(end.failed):
                self.succeeded += 1
            elif self.first is None or (end.trace and not self.first.trace):
                self.first, self.reason = end, self.reason or _reason(history, end)

    @property
    def is_refused(self) -> bool:
        """True if the code never succeeded because Lambda refuses its answers."""
        return bool(self.failing) and self.first is not None and self.first.error.partition(":")[0] in UNANSWERABLE

    @property
    def failing(self) -> str:
        """The sentence that the code never succeeded, with its first error; empty if it did or never ran."""
        if self.first is None or self.succeeded:
            return ""
        how = f"reported every message as failed {_times(self.ended)}" if self.first.outcome == "succeeded" else ""
        how += f"; at first {self.reason}" if how and self.reason else ""
        at = f" at {self.first.trace[-1]}" if self.first.trace else ""
        error = self.first.error or self.first.outcome.replace("_", " ")
        if error == TOO_LARGE:
            error = f"its response has more than {RESPONSE_LIMIT:,} bytes ({error}, LX-5)"
        error += at or (f" at {self.handler}" if self.handler else "")
        return f"{self.first.function} never succeeded: {how or f'{error}, and so on {_times(self.ended)}'}"


def _reason(history: History, end: InvocationEnded) -> str:
    """Return why an invocation may have reported its messages: the error that it logged, or a call that failed."""
    error, place = first_error("\n".join(end.output))
    if error:
        return f"it logged {error} at {place}" if place else f"it logged {error}"
    calls = (call for _, call in history.each(ServiceCalled) if call.invocation == end.invocation and call.error)
    call = next(calls, None)
    if call is None:
        return f"it logged {end.output[-1]}" if end.output else ""
    return f"{call.what} was answered {call.error} at {call.place}"


def _times(count: int) -> str:
    return "in its only invocation" if count == 1 else f"in all {count:,} invocations"


# The finding ---------------------------------------------------------------------------------------------------------


@attrs.frozen
class Finding:
    """The result of one search."""

    mapping: str
    """`orders→worker`; empty after a search over designs that found nothing."""
    invariant: str
    """Name of the invariant."""
    verdict: Verdict
    """Verdict over all cases: violated if any is; holds if some case could have failed; else why none could."""
    cases: int
    """Scenarios that were simulated until a violation was found or the budget was spent; shrinking not counted."""
    coverage: Mapping[str, int] = attrs.field(factory=dict[str, int], hash=False)
    """Number of these cases that reached each mark: `throttled`, `dead-lettered`, `fault lost_delete` …"""
    scenario: Scenario | None = None
    """The smallest scenario found that violates the invariant, or None."""
    history: History | None = attrs.field(default=None, eq=False, repr=False)
    """The judged run of that scenario, so that reports need not simulate it again."""
    counterexample: Counterexample | None = None
    """The scenario with its explanation, once it is explained."""
    text: str = attrs.field(default="", eq=False, repr=False)
    """The story, or the verdict in one line, if `explore` has written it."""
    unreached: tuple[str, ...] = ()
    """Marks that no case reached although they are possible in the design; users' marks begin with `sometimes `."""
    failing: str = ""
    """The sentence that the mapping's real code never succeeded in any case; empty: it did, or is a model."""
    cut: str = ""
    """Parts that were left out when the time was over or the run was interrupted; empty: nothing."""
    refused: bool = False
    """True if it never succeeded because Lambda refuses its answers, whatever the message."""

    @property
    def violated(self) -> bool:
        """True if a counterexample was found."""
        return self.verdict.status is Status.VIOLATED

    def __str__(self) -> str:
        """Return the text for users."""
        return self.text or f"{self.mapping} {self.invariant}: {self.verdict.status}"

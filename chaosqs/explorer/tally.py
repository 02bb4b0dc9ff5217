"""What the cases of a search came to, for one invariant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import attrs

from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict

_EXCUSES = 10


@attrs.define
class Tally:
    """The cases up to the first violation; those of shrinking, which follow it, do not count."""

    cases: int = 0
    exercised: int = 0
    statuses: Counter[Status] = attrs.field(factory=Counter[Status])
    reasons: Counter[tuple[Status, str]] = attrs.field(factory=Counter[tuple[Status, str]])
    excused: dict[str, None] = attrs.field(factory=dict[str, None])
    reached: Counter[str] = attrs.field(factory=Counter[str])
    violating: Scenario | None = None
    """The scenario that violated the invariant: the first, or the smallest that is known by now."""

    def add(self, scenario: Scenario, verdict: Verdict, marks: Iterable[str]) -> None:
        """Count one case."""
        self.cases += 1
        self.exercised += verdict.exercised
        self.statuses[verdict.status] += 1
        self.reasons[verdict.status, verdict.reason] += 1
        self.reached.update(marks)
        if len(self.excused) < _EXCUSES:
            self.excused.update(dict.fromkeys(verdict.excused[:1]))
        if verdict.status is Status.VIOLATED:
            self.violating = scenario

    def verdict(self, invariant: str) -> Verdict:
        """Return the verdict on all cases together, where none is violated.

        A pass is worth something only if the invariant could have failed, and was judged wherever it could.
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

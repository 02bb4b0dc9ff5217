"""What came of trying everything within a bound: a proof, the shortest counterexample, or how far it went."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from chaosqs.model.verdict import Status
from chaosqs.report.text import title_of
from chaosqs.search.finding import Finding
from chaosqs.search.plan_text import without_one

LONGEST = 10
"""Steps of others for which a pause that is tried holds its task, at the most."""


@attrs.frozen
class Bound:
    """What is tried."""

    messages: int
    """Messages of the largest world."""
    faults: int
    """Faults of single sends and receives in one plan, at the most."""
    pauses: int
    """Pauses of single tasks in one plan, at the most, each for 1 to `LONGEST` steps of others."""
    max_runs: int
    """Simulations at the most."""

    @property
    def depth(self) -> int:
        """Faults and pauses of the largest plans."""
        return self.faults + self.pauses


@attrs.frozen
class Exhaustion:
    """All plans within a bound on one mapping of a design, and what they mean for each invariant."""

    design: str
    """How the user calls the design."""
    mapping: str
    bound: Bound
    runs: int
    """Simulations."""
    histories: int
    """Different ones among their histories; the other runs are equal to one of these, as a fault struck nothing."""
    same_call: int
    """Plans that were not run, as another run has the same fault at the same call, by another message of the batch."""
    complete: int
    """The number of faults and pauses up to which all plans were tried; -1: not even those without any. Less than the
    bound where the runs were spent before, or everything was violated."""
    kinds: tuple[str, ...]
    """The kinds of fault that were tried, as they came up."""
    findings: tuple[Finding, ...] = ()
    """One for each invariant. It holds if all plans were tried; where they were not, it is inconclusive."""

    @property
    def equivalent(self) -> int:
        """Plans that are equivalent to another one."""
        return self.runs - self.histories + self.same_call

    @property
    def proven(self) -> bool:
        """Whether all plans were tried, and none violates any of the invariants, exercised or not."""
        statuses = {finding.verdict.status for finding in self.findings}
        judged = not statuses & {Status.VIOLATED, Status.INCONCLUSIVE}
        return judged and self.runs > 0 and self.complete == self.bound.depth

    def __str__(self) -> str:
        """Return the lines for a terminal."""
        return "\n".join(self.lines())

    def lines(self) -> Iterator[str]:
        """Yield a line for each invariant that is violated, and one for all that are kept, not exercised or open."""
        for finding in self.findings:
            if finding.scenario is not None:
                yield f"{title_of(finding.invariant)} is violated {_by(finding)}"
        none = f"none of {_number(self.histories, 'schedule')} up to depth {self.bound.depth}"
        counts = f" ({self._counts()})"
        for status, does in ((Status.HOLDS, "violates"), (Status.NOT_EXERCISED, "exercises")):
            names = [found.invariant for found in self.findings if found.verdict.status is status]
            if names:
                yield f"{none} {does} {_promises(names)}{counts}"
                counts = ""
        open_still = [found.invariant for found in self.findings if self._is_open(found)]
        if open_still:
            yield f"{self.stopped}: none violates {_promises(open_still)}, which proves nothing ({self._counts()})"

    @property
    def stopped(self) -> str:
        """Say how far it went; empty where it went all the way."""
        if self.complete == self.bound.depth:
            return ""
        done = f"all up to depth {self.complete}" if self.complete >= 0 else "not even all without a fault"
        return f"stopped after {_number(self.histories, 'schedule')} at depth {self.complete + 1} ({done})"

    def _is_open(self, found: Finding) -> bool:
        return bool(self.stopped) and found.verdict.status is Status.INCONCLUSIVE

    def _counts(self) -> str:
        bound = self.bound
        faults = f"up to {_number(bound.faults, 'fault')} of {_number(len(self.kinds), 'kind')}"
        parts = [
            f"up to {_number(bound.messages, 'message')}",
            faults if bound.faults else "no faults",
            *([f"up to {_number(bound.pauses, 'pause')} of up to {LONGEST} steps"] if bound.pauses else []),
        ]
        return f"{', '.join(parts)}; {self._equivalent()}"

    def _equivalent(self) -> str:
        verb = "is" if self.equivalent == 1 else "are"
        return f"{self.equivalent:,} more {verb} equivalent to these"


def _by(finding: Finding) -> str:
    """Return what violates an invariant."""
    assert finding.scenario is not None
    faults = [text for text, _ in without_one(finding.scenario.faults)]
    if not faults:
        return "without any fault"
    fewer = "" if len(faults) == 1 else ", and by no fewer"
    return f"by {_number(len(faults), 'disturbance')}{fewer}: {'; '.join(faults)}"


def _promises(names: Sequence[str]) -> str:
    return title_of(names[0]) if len(names) == 1 else f"any of {len(names)} promises"


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"

"""What a search has to say about one invariant on one mapping."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from chaosqs.model.counterexample import Counterexample
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict


@attrs.frozen
class Finding:
    """The result of one search."""

    mapping: str
    """`orders→worker`; empty after a search over designs that found nothing."""
    invariant: str
    """Name of the invariant."""
    verdict: Verdict
    """Over all cases: violated if any is; holds if some case could have failed; else why none could."""
    cases: int
    """Scenarios that were simulated until a violation was found or the budget was spent; shrinking not counted."""
    reached: Mapping[str, int] = attrs.field(factory=dict[str, int], hash=False)
    """In how many of these cases something happened: `throttled`, `dead-lettered`, `fault lost_delete` …"""
    scenario: Scenario | None = None
    """The smallest scenario found that violates the invariant, or None."""
    counterexample: Counterexample | None = None
    """The same with its explanation, once it has one."""
    unreached: tuple[str, ...] = ()
    """Marks that no case reached although the design has what it takes; those of users begin with `sometimes `."""

    @property
    def violated(self) -> bool:
        """Whether a counterexample was found."""
        return self.verdict.status is Status.VIOLATED

"""A counterexample, run again: does it still fail, as it stands or on another design?"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import attrs

from chaosqs.explorer.exploration import versions
from chaosqs.explorer.oracle import attributed
from chaosqs.explorer.transfer import transferred
from chaosqs.invariants import by_name
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.counterexample import Counterexample, Explanation
from chaosqs.model.design import Design
from chaosqs.model.history import History
from chaosqs.model.verdict import Status, Verdict
from chaosqs.simulator.run import isolated


class Outcome(StrEnum):
    """What became of a counterexample."""

    STILL_FAILS = "STILL FAILS"
    """The same history, event by event, and the same invariant violated."""
    CHANGED = "CHANGED"
    """The invariant is still violated, by another history."""
    FIXED = "FIXED"
    """The invariant is not violated any more."""


@attrs.frozen
class Replay:
    """The result of a replay."""

    outcome: Outcome
    verdict: Verdict
    history: History
    counterexample: Counterexample
    """What there is to tell now: with the violation of this run. Where the history is another, the explanation is left
    out, as it was about the one before. Of one that is fixed: as it was found."""


def replay(counterexample: Counterexample) -> Replay:
    """Run a counterexample's scenario again and judge it, as it was judged when it was found.

    Raises ValueError for an invariant that is not known or fails itself, `NotDeterministic` where two runs differ.
    """
    invariant = by_name(counterexample.invariant)
    history = isolated(counterexample.scenario, verify=True)
    queue = counterexample.mapping.partition("→")[0] or None
    verdict = attributed(invariant.judge(history), queue)
    if verdict.status is Status.INCONCLUSIVE:
        error = verdict.reason.strip().rpartition("\n")[2]  # of a traceback, what went wrong
        raise ValueError(f"{invariant.name} cannot be judged, as it raises {error}")
    if verdict.status is not Status.VIOLATED:
        return Replay(Outcome.FIXED, verdict, history, counterexample)
    now = attrs.evolve(counterexample, violation=verdict.violations[0])
    if history.digest == counterexample.digest:
        return Replay(Outcome.STILL_FAILS, verdict, history, now)
    now = attrs.evolve(now, digest=history.digest, versions=versions(), explanation=Explanation())
    return Replay(Outcome.CHANGED, verdict, history, now)


def redesigned(counterexample: Counterexample, design: Design, behaviours: Mapping[str, Behaviour]) -> Counterexample:
    """Return a counterexample whose scenario is on another design. Raises as `transferred`."""
    return attrs.evolve(counterexample, scenario=transferred(counterexample.scenario, design, behaviours))

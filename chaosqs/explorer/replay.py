"""A counterexample, run again: does it still fail?"""

from __future__ import annotations

from enum import StrEnum

import attrs

from chaosqs.explorer.oracle import attributed
from chaosqs.invariants import by_name
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.history import History
from chaosqs.model.verdict import Status, Verdict
from chaosqs.simulator.run import isolated


class Outcome(StrEnum):
    """What became of a counterexample."""

    STILL_FAILS = "STILL FAILS"
    """The same history, event by event, and the same invariant violated."""
    CHANGED = "CHANGED"
    """The invariant is still violated, by another history: chaosqs has changed since."""
    FIXED = "FIXED"
    """The invariant is not violated any more."""


@attrs.frozen
class Replay:
    """The result of a replay."""

    outcome: Outcome
    verdict: Verdict
    history: History


def replay(counterexample: Counterexample) -> Replay:
    """Run a counterexample's scenario again and judge it, as it was judged when it was found.

    Raises ValueError for an invariant that is not known or fails itself, `NotDeterministic` where two runs differ.
    """
    invariant = by_name(counterexample.invariant)
    history = isolated(counterexample.scenario, verify=True)
    queue = counterexample.mapping.partition("→")[0] or None
    verdict = attributed(invariant.judge(history), queue)
    if verdict.status is Status.INCONCLUSIVE:
        raise ValueError(f"{invariant.name} cannot be judged, as it raises an error:\n{verdict.reason}")
    if verdict.status is not Status.VIOLATED:
        return Replay(Outcome.FIXED, verdict, history)
    same = history.digest == counterexample.digest
    return Replay(Outcome.STILL_FAILS if same else Outcome.CHANGED, verdict, history)

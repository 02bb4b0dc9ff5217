"""How an invariant comes to one of its four verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from chaosqs.model.verdict import Status, Verdict, Violation


def not_applicable(invariant: str, reason: str) -> Verdict:
    """Return the verdict on a design to which the invariant says nothing, whatever happens."""
    return Verdict(invariant, Status.NOT_APPLICABLE, reason)


def judged(
    invariant: str, violations: Sequence[Violation], exercised: int, idle: str, excused: Sequence[str] = ()
) -> Verdict:
    """Return the verdict on a history; `idle` tells why it could not have failed, where nothing exercised it."""
    if violations:
        return Verdict(invariant, Status.VIOLATED, "", exercised, tuple(violations), tuple(excused))
    if not exercised:
        return Verdict(invariant, Status.NOT_EXERCISED, idle, excused=tuple(excused))
    return Verdict(invariant, Status.HOLDS, "", exercised, excused=tuple(excused))

"""Every invariant by name. The file of each states its meaning, when it applies and what it counts."""

from collections.abc import Iterable

from chaosqs.invariants import catalogue, custom, limits
from chaosqs.invariants.bounded_retries import named as retries_named
from chaosqs.invariants.dead_letter_queue_outlives_source import named as kept_named
from chaosqs.invariants.exactly_once_effect import named as effect_named
from chaosqs.invariants.verdicts import Invariant
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict, Violation

ALL = tuple(value for value in vars(catalogue).values() if isinstance(value, Invariant))
"""Every invariant, in the order in which reports list them."""

DEFAULT = tuple(invariant for invariant in ALL if invariant.default)
"""Invariants that are judged unless others are asked for."""

OURS = tuple(invariant for invariant in ALL if invariant.internal)
"""Invariants that no design, load or fault can violate: a violation is a bug of chaosqs."""


def _ours(name: str) -> Invariant | None:
    """Return the invariant of chaosqs of that name, which may be of a family; None: there is none."""
    for invariant in ALL:
        if invariant.name == name:
            return invariant
    return limits.named(name) or retries_named(name) or effect_named(name) or kept_named(name)


custom.take(_ours)


def by_name(name: str) -> Invariant:
    """Return the invariant of that name: one of chaosqs, or a user's own whose module has been imported.

    Families (limits, effects, retries) have figures in their names. Raises ValueError for an unknown name.
    """
    found = _ours(name) or custom.known(name)
    if found is not None:
        return found
    ours = ", ".join(invariant.name for invariant in ALL)
    raise ValueError(f"no invariant is called {name!r}: there are {ours}, and your own once their files are imported")


def judge(history: History, invariants: Iterable[Invariant] = DEFAULT) -> tuple[Verdict, ...]:
    """Return the verdict of each invariant on a history, in the order given."""
    return tuple(invariant.judge(history) for invariant in invariants)


def check(history: History, invariants: Iterable[Invariant] = DEFAULT) -> tuple[Violation, ...]:
    """Return all violations of the invariants in a history, in the order given; empty: all that apply hold.

    `invariants` are by default those that `explore` and `pytest --chaosqs` judge; `ALL` has all.
    """
    return tuple(violation for verdict in judge(history, invariants) for violation in verdict.violations)

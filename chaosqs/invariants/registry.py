"""Every invariant by name. What each promises, when it applies and what it counts stands in its own file."""

from collections.abc import Iterable

from chaosqs.invariants import catalogue, custom, limits
from chaosqs.invariants.bounded_retries import named as retries_named
from chaosqs.invariants.exactly_once_effect import named as effect_named
from chaosqs.invariants.verdicts import Invariant
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict, Violation

ALL = tuple(value for value in vars(catalogue).values() if isinstance(value, Invariant))
"""Every invariant, in the order in which reports list them."""

DEFAULT = tuple(invariant for invariant in ALL if invariant.default)
"""Those that are judged unless others are asked for."""

OURS = tuple(invariant for invariant in ALL if invariant.internal)
"""Those that no design, load or fault can break: a violation is a bug of chaosqs."""


def _ours(name: str) -> Invariant | None:
    """Return the invariant of ours of that name, or one of a family, which has figures in its names; None: neither."""
    for invariant in ALL:
        if invariant.name == name:
            return invariant
    return limits.named(name) or retries_named(name) or effect_named(name)


custom.take(_ours)


def by_name(name: str) -> Invariant:
    """Return the invariant of that name: one of ours, one of a family, or a user's own whose module has been imported.

    A family has figures in its names: limits, effects, retries. Raises ValueError where there is none of that name.
    """
    found = _ours(name) or custom.known(name)
    if found is not None:
        return found
    ours = ", ".join(invariant.name for invariant in ALL)
    raise ValueError(f"no invariant is called {name!r}: there are {ours}, and your own once their files are imported")


def judge(history: History, invariants: Iterable[Invariant] = DEFAULT) -> tuple[Verdict, ...]:
    """Return what each invariant says about a history, in their order."""
    return tuple(invariant.judge(history) for invariant in invariants)


def check(history: History, invariants: Iterable[Invariant] = DEFAULT) -> tuple[Violation, ...]:
    """Return every violation of the invariants in a history, in their order; empty: all that apply hold.

    `invariants` are by default those that `explore` and `pytest --chaosqs` judge; `ALL` has every one.
    """
    return tuple(violation for verdict in judge(history, invariants) for violation in verdict.violations)

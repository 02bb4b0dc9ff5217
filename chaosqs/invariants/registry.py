"""Every invariant by name, with what it promises, when it applies and what it counts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import attrs

from chaosqs.invariants import (
    at_least_once_delivery,
    concurrency_within_its_limits,
    conservation,
    no_dead_lettering_by_throttling,
)
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict, Violation


@attrs.frozen
class Invariant:
    """A promise about every run of a design, and the function that judges whether a history keeps it."""

    name: str
    """As commands and reports spell it: `no-dead-lettering-by-throttling`."""
    title: str
    """As stories spell it: `no dead-lettering by throttling`."""
    statement: str
    """The promise, in one sentence."""
    applies: str
    """The designs and runs that it speaks about, in one sentence."""
    unit: str
    """What `Verdict.exercised` counts."""
    default: bool
    """Whether a search judges it without being asked: a sound design keeps it, whatever AWS may legally do."""
    judge: Callable[[History], Verdict] = attrs.field(repr=False)


NO_DEAD_LETTERING_BY_THROTTLING = Invariant(
    name=no_dead_lettering_by_throttling.NAME,
    title="no dead-lettering by throttling",
    statement="No message is dead-lettered unprocessed because its function had no execution free for it.",
    applies="To designs that poll a queue with a redrive policy; exercised by throttles, those of faults apart, and "
    "by invocations that fill the maximum concurrency of their function's mappings.",
    unit="times at the limit",
    default=True,
    judge=no_dead_lettering_by_throttling.judge,
)
AT_LEAST_ONCE_DELIVERY = Invariant(
    name=at_least_once_delivery.NAME,
    title="at-least-once delivery",
    statement="Every message is processed, dead-lettered after all the deliveries that its redrive policy grants, "
    "expired when its retention is over, or still in a queue at the end.",
    applies="To every design; exercised when a message is sent.",
    unit="messages",
    default=True,
    judge=at_least_once_delivery.judge,
)
CONCURRENCY_WITHIN_ITS_LIMITS = Invariant(
    name=concurrency_within_its_limits.NAME,
    title="concurrency within its limits",
    statement="No function runs more executions than it may, no mapping has more invocations in flight than "
    "its maximum concurrency, and no batch is larger than the batch size.",
    applies="To every design; exercised when an invocation starts.",
    unit="invocations",
    default=True,
    judge=concurrency_within_its_limits.judge,
)
CONSERVATION = Invariant(
    name=conservation.NAME,
    title="conservation",
    statement="Every message is in exactly one place at a time, and every event fits the ones before it; "
    "anything else is a bug of chaosqs.",
    applies="To every design; exercised by every event.",
    unit="events",
    default=True,
    judge=conservation.judge,
)

ALL = (NO_DEAD_LETTERING_BY_THROTTLING, AT_LEAST_ONCE_DELIVERY, CONCURRENCY_WITHIN_ITS_LIMITS, CONSERVATION)
"""Every invariant, in the order in which reports list them."""

DEFAULT = tuple(invariant for invariant in ALL if invariant.default)
"""Those that a search judges without being asked."""


def by_name(name: str) -> Invariant:
    """Return the invariant of that name. Raises ValueError where there is none."""
    for invariant in ALL:
        if invariant.name == name:
            return invariant
    message = f"no invariant is called {name!r}: there are {', '.join(invariant.name for invariant in ALL)}"
    raise ValueError(message)


def judge(history: History, invariants: Iterable[Invariant] = DEFAULT) -> tuple[Verdict, ...]:
    """Return what each invariant says about a history, in their order."""
    return tuple(invariant.judge(history) for invariant in invariants)


def check(history: History, invariants: Iterable[Invariant] = ALL) -> tuple[Violation, ...]:
    """Return every violation of the invariants in a history, in their order; empty: all that apply hold."""
    return tuple(violation for verdict in judge(history, invariants) for violation in verdict.violations)

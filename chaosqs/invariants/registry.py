"""Every invariant by name. What each promises, when it applies and what it counts stands in its own file."""

from __future__ import annotations

from collections.abc import Iterable

from chaosqs.invariants import custom, limits
from chaosqs.invariants.at_least_once_delivery import AT_LEAST_ONCE_DELIVERY
from chaosqs.invariants.batches_within_limits import BATCHES_WITHIN_LIMITS
from chaosqs.invariants.bounded_retries import BOUNDED_RETRIES
from chaosqs.invariants.bounded_retries import named as retries_named
from chaosqs.invariants.concurrency_within_its_limits import CONCURRENCY_WITHIN_ITS_LIMITS
from chaosqs.invariants.conservation import CONSERVATION
from chaosqs.invariants.dead_letter_queue_outlives_source import DEAD_LETTER_QUEUE_OUTLIVES_SOURCE
from chaosqs.invariants.deduplication_holds import DEDUPLICATION_HOLDS
from chaosqs.invariants.drains_after_healing import DRAINS_AFTER_HEALING
from chaosqs.invariants.exactly_once_effect import named as effect_named
from chaosqs.invariants.fifo_order import FIFO_ORDER
from chaosqs.invariants.filtered_never_delivered import FILTERED_NEVER_DELIVERED
from chaosqs.invariants.no_bystander_dead_lettered import NO_BYSTANDER_DEAD_LETTERED
from chaosqs.invariants.no_concurrent_processing import NO_CONCURRENT_PROCESSING
from chaosqs.invariants.no_dead_lettering_by_throttling import NO_DEAD_LETTERING_BY_THROTTLING
from chaosqs.invariants.no_early_dead_lettering import NO_EARLY_DEAD_LETTERING
from chaosqs.invariants.no_loss_after_send import NO_LOSS_AFTER_SEND
from chaosqs.invariants.no_second_processing import NO_SECOND_PROCESSING
from chaosqs.invariants.no_starvation import NO_STARVATION
from chaosqs.invariants.one_group_at_a_time import ONE_GROUP_AT_A_TIME
from chaosqs.invariants.reported_failures_kept import REPORTED_FAILURES_KEPT
from chaosqs.invariants.verdicts import Invariant
from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict, Violation

ALL = (
    NO_DEAD_LETTERING_BY_THROTTLING,
    AT_LEAST_ONCE_DELIVERY,
    NO_LOSS_AFTER_SEND,
    NO_EARLY_DEAD_LETTERING,
    NO_BYSTANDER_DEAD_LETTERED,
    DEAD_LETTER_QUEUE_OUTLIVES_SOURCE,
    REPORTED_FAILURES_KEPT,
    NO_CONCURRENT_PROCESSING,
    NO_SECOND_PROCESSING,
    FIFO_ORDER,
    ONE_GROUP_AT_A_TIME,
    DEDUPLICATION_HOLDS,
    BATCHES_WITHIN_LIMITS,
    FILTERED_NEVER_DELIVERED,
    BOUNDED_RETRIES,
    DRAINS_AFTER_HEALING,
    NO_STARVATION,
    CONCURRENCY_WITHIN_ITS_LIMITS,
    CONSERVATION,
)
"""Every invariant, in the order in which reports list them."""

DEFAULT = tuple(invariant for invariant in ALL if invariant.default)
"""Those that a search judges without being asked."""

OURS = (
    NO_LOSS_AFTER_SEND,
    NO_EARLY_DEAD_LETTERING,
    DEDUPLICATION_HOLDS,
    BATCHES_WITHIN_LIMITS,
    FILTERED_NEVER_DELIVERED,
    CONCURRENCY_WITHIN_ITS_LIMITS,
    CONSERVATION,
)
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


def check(history: History, invariants: Iterable[Invariant] = ALL) -> tuple[Violation, ...]:
    """Return every violation of the invariants in a history, in their order; empty: all that apply hold."""
    return tuple(violation for verdict in judge(history, invariants) for violation in verdict.violations)

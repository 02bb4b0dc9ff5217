"""Promises about runs, judged as pure functions of a history: one promise a file."""

from chaosqs.invariants.registry import (
    ALL,
    AT_LEAST_ONCE_DELIVERY,
    CONCURRENCY_WITHIN_ITS_LIMITS,
    CONSERVATION,
    DEFAULT,
    NO_DEAD_LETTERING_BY_THROTTLING,
    Invariant,
    by_name,
    check,
    judge,
)

__all__ = [
    "ALL",
    "AT_LEAST_ONCE_DELIVERY",
    "CONCURRENCY_WITHIN_ITS_LIMITS",
    "CONSERVATION",
    "DEFAULT",
    "NO_DEAD_LETTERING_BY_THROTTLING",
    "Invariant",
    "by_name",
    "check",
    "judge",
]

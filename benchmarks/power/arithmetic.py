"""The figures of the benchmark, as pure functions: shares, percentiles, F1."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Sequence
from math import ceil, inf


def percentile(values: Collection[float], percent: float) -> float:
    """Return the smallest value that `percent` per cent of all values do not exceed (nearest rank); nan of none."""
    if not values:
        return float("nan")
    ordered = sorted(values)
    return ordered[max(1, ceil(len(ordered) * percent / 100)) - 1]


def median(values: Collection[float]) -> float:
    """Return the middle value, or the mean of the two in the middle; nan of none."""
    if not values:
        return float("nan")
    ordered, half = sorted(values), len(values) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def first_failures(found: Sequence[tuple[bool, float]]) -> list[float]:
    """Return the cases up to the first failure of each trial (found, cases); infinite if nothing was found."""
    return [cases if success else inf for success, cases in found]


def normal_form_share(forms: Sequence[Hashable]) -> float:
    """Return the share of the trials that end in the most frequent form, 0 to 1; nan without trials."""
    return max(Counter(forms).values()) / len(forms) if forms else float("nan")


def f1(named: Collection[str], truth: Collection[str]) -> float:
    """Return the harmonic mean of precision and recall, 0 to 1; 1 if both collections are empty."""
    if not named and not truth:
        return 1.0
    return 2 * len(set(named) & set(truth)) / (len(set(named)) + len(set(truth)))


def solved(found: int, trials: int, share: float = 0.95) -> bool:
    """Return True if enough of the trials found something: 19 of 20."""
    return trials > 0 and found >= share * trials


def mean(values: Sequence[float]) -> float:
    """Return the mean; nan of none."""
    return sum(values) / len(values) if values else float("nan")

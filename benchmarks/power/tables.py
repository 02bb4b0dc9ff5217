"""How figures look in a table of Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf, isnan


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table, a line a row."""
    lines = [list(heads), ["---"] * len(heads), *([str(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def number(value: float) -> str:
    """Return a number with two digits at the most after the point; – for nan, ∞ for infinity."""
    if isnan(value):
        return "–"
    return "∞" if value == inf else f"{value:.2f}".rstrip("0").rstrip(".")


def share(value: float) -> str:
    """Return a share, 0 to 1, in whole per cent; – for nan.

    Rounded down: what is not all must not look like it.
    """
    return "–" if isnan(value) else f"{int(100 * value + 1e-9)} %"

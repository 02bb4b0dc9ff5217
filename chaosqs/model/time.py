"""Time is an `int` of milliseconds everywhere inside; seconds exist only where users read and write."""

from __future__ import annotations

_SECOND = 1000
MINUTE = 60 * _SECOND
"""One minute in milliseconds."""


def milliseconds(seconds: float) -> int:
    """Seconds as the nearest whole number of milliseconds."""
    return round(seconds * 1000)


def clock_text(at: int) -> str:
    """A moment or a duration in milliseconds, as stories print it: `30.0 s`, `0.016 s` below a tenth of a second."""
    exact = at % 100 and at < 10 * _SECOND
    return f"{at / 1000:.3f}".rstrip("0") + " s" if exact else f"{at / 1000:.1f} s"

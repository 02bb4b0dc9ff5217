"""Time is an `int` of milliseconds everywhere in the code; seconds exist only where users read and write."""

_SECOND = 1000
MINUTE = 60 * _SECOND
"""One minute in milliseconds."""


def milliseconds(seconds: float) -> int:
    """Return seconds as the nearest whole number of milliseconds."""
    return round(seconds * 1000)


def clock_text(at: int) -> str:
    """Return a time or duration in milliseconds as text: `30.0 s`, or `0.016 s` below 10 s if not in whole tenths."""
    exact = at % 100 and at < 10 * _SECOND
    return f"{at / 1000:.3f}".rstrip("0") + " s" if exact else f"{at / 1000:.1f} s"

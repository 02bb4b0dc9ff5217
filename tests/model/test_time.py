"""Time is milliseconds inside and reads as seconds outside."""

from __future__ import annotations

import pytest

from chaosqs.model.time import clock_text, milliseconds


@pytest.mark.parametrize(("seconds", "expected"), [(0, 0), (1, 1000), (0.0004, 0), (0.0006, 1), (1.2345, 1234)])
def test_milliseconds_are_the_nearest_whole_number(seconds: float, expected: int) -> None:
    """Seconds of any kind become whole milliseconds."""
    assert milliseconds(seconds) == expected


@pytest.mark.parametrize(
    ("at", "text"),
    [(0, "0.0 s"), (16, "0.016 s"), (100, "0.1 s"), (1250, "1.25 s"), (30_000, "30.0 s"), (60_149, "60.1 s")],
)
def test_clock_text(at: int, text: str) -> None:
    """Small moments are exact, later ones have a tenth of a second."""
    assert clock_text(at) == text

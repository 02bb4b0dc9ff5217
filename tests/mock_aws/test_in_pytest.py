"""A user's pytest with `aws()`: durations are real, and other tools keep working."""

from __future__ import annotations

import re

import pytest

TEST = """
import time
import chaosqs
import pytest

world = pytest.fixture(chaosqs.aws().fixture)

def test_sleeps(world):
    time.sleep(3600)
    assert world.now == time.monotonic() == 3600
"""


def test_durations_of_pytest_are_real(pytester: pytest.Pytester) -> None:
    """An hour of virtual time is none of pytest's, nor of Hypothesis's deadline."""
    pytester.makepyfile(
        TEST
        + """
from hypothesis import HealthCheck, given, settings, strategies as st

@settings(max_examples=3, database=None, suppress_health_check=list(HealthCheck))
@given(st.just(1))
def test_drawn(world, seconds):
    time.sleep(seconds)
"""
    )
    result = pytester.runpytest("--durations=5", "--durations-min=0", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=2)
    seconds = [float(found) for found in re.findall(r"([\d.]+)s call", result.stdout.str())]
    assert seconds
    assert max(seconds) < 60

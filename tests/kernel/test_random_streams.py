"""Chance is a pure function of the seed, stream and keys."""

from __future__ import annotations

from statistics import fmean, median

from hypothesis import given
from hypothesis import strategies as st

from chaosqs.kernel.context import RandomStreams, stream


@given(st.integers(0, 2**40), st.integers(0, 2**32), st.integers(0, 10**6), st.integers(0, 10**6))
def test_fractions_are_in_range_and_repeat(seed: int, where: int, first: int, second: int) -> None:
    """The same question has the same answer, from 0 up to but not including 1."""
    found = RandomStreams(seed).fraction(where, first, second)
    assert 0 <= found < 1
    assert found == RandomStreams(seed).fraction(where, first, second)


def test_seed_zero_is_calm() -> None:
    """Always the middle, always the median."""
    assert RandomStreams(0).fraction(stream("anything"), 3, 4) == 0.5
    assert RandomStreams(0).around(200, 0.8, stream("anything")) == 200


def test_fractions_are_evenly_distributed_over_each_key() -> None:
    """Neither seed, nor site, nor keys are worth less than the others."""
    where = stream("latency")
    for found in (
        [RandomStreams(seed).fraction(where, 1, 1) for seed in range(1, 4001)],
        [RandomStreams(1).fraction(index, 1, 1) for index in range(4000)],
        [RandomStreams(1).fraction(where, first, 1) for first in range(4000)],
        [RandomStreams(1).fraction(where, 1, second) for second in range(4000)],
    ):
        assert abs(fmean(found) - 0.5) < 0.02
        assert all(350 < sum(k / 10 <= x < (k + 1) / 10 for x in found) < 450 for k in range(10))


def test_log_normal_numbers_have_the_median_and_spread_asked_for() -> None:
    """Half are below the median, and about 16 % above one standard deviation of the logarithm."""
    found = [RandomStreams(9).around(100, 0.5, stream("duration"), number) for number in range(4000)]
    assert 97 < median(found) < 103
    assert 0.13 < sum(x > 100 * 2.718281828**0.5 for x in found) / len(found) < 0.19


def test_sites_are_the_same_in_every_process() -> None:
    """They do not come from Python's hashing."""
    assert stream("throttle retry") == 2661086074

"""Chance as a pure function: the same seed, site and keys give the same number, whatever else was asked before.

Each site of chance has its own stream, keyed by who asks and how often it did, so that one fault more or less does
not reshuffle everything else. Seed 0 is calm: always the middle.
"""

from __future__ import annotations

from math import exp
from statistics import NormalDist
from zlib import crc32

import attrs

_MASK = (1 << 64) - 1
_NORMAL = NormalDist()


@attrs.define
class RandomStreams:
    """The chance of one run."""

    seed: int
    """Stays what it is, unless the run is redrawn from some moment on (`simulation/run.py`)."""

    def fraction(self, stream: int, first: int = 0, second: int = 0) -> float:
        """Return a number from 0 up to, but not including, 1, evenly distributed; 0.5 where all is calm."""
        if self.seed == 0:
            return 0.5
        x = (
            self.seed * 0x9E3779B97F4A7C15
            + stream * 0xBF58476D1CE4E5B9
            + first * 0x94D049BB133111EB
            + second * 0xD6E8FEB86659FD93
        ) & _MASK
        x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
        return ((x ^ (x >> 31)) >> 11) / (1 << 53)

    def around(self, median: float, spread: float, stream: int, first: int = 0, second: int = 0) -> float:
        """Return a log-normal number around a median; `spread` is the standard deviation of its logarithm."""
        if self.seed == 0 or spread == 0:
            return median
        middle = max(self.fraction(stream, first, second), 1e-12)
        return median * exp(spread * _NORMAL.inv_cdf(middle))


def stream(name: str) -> int:
    """Return the number of a site of chance: the same in every process."""
    return crc32(name.encode())

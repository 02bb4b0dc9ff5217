"""Random numbers as a pure function: the same seed, stream and keys give the same number, in any order of calls.

Each use of chance has its own random stream. The keys say which caller asks and how often it has asked, so that one
fault more or less does not reshuffle everything else. Seed 0 is calm: it always gives the middle.
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
    """The random streams of one run."""

    seed: int
    """Constant, unless the run is redrawn from some moment on (`simulation/run.py`)."""

    def fraction(self, stream: int, first: int = 0, second: int = 0) -> float:
        """Return an evenly distributed number from 0 up to, but not including, 1; 0.5 for seed 0."""
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
        """Return a log-normal number; `spread` is the standard deviation of its logarithm. Seed 0 gives the median."""
        if self.seed == 0 or spread == 0:
            return median
        probability = max(self.fraction(stream, first, second), 1e-12)
        return median * exp(spread * _NORMAL.inv_cdf(probability))


def stream(name: str) -> int:
    """Return the number of a random stream, the same in every process."""
    return crc32(name.encode())

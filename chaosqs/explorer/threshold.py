"""From which value of a setting on an invariant holds, in words and as the values that the words name.

Values that hold side by side are a run. A run counts where it goes on to an end of the scale, or has two values at
least: a single one whose neighbours fail on both sides is an accident of timing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import TypeAlias

import attrs

from chaosqs.explorer.dials import Value, rank

_SCAN = 4
_Probe: TypeAlias = Callable[[Value], bool | None]


@attrs.frozen
class Threshold:
    """From where on an invariant holds that is violated at the value of now."""

    text: str = ""
    """`holds from 5`; empty where no other value helps."""
    edges: tuple[Value, ...] = ()
    """The values that the text names, the nearest first in each direction."""


def threshold(value: Value, answers: Mapping[Value, bool], holds: _Probe, surely: _Probe) -> Threshold:
    """Return from where on an invariant holds that is violated at `value`.

    `answers`: for each value tried, whether it seems to hold. `holds` is asked for values between two of them, `surely`
    for those that the text is going to name.
    """
    if isinstance(value, bool):
        other = not value
        return Threshold(f"holds with {other}", (other,)) if answers[other] and surely(other) else Threshold()
    tried = sorted(answers, key=rank)
    above = [other for other in tried if rank(other) > rank(value)]
    below = [other for other in reversed(tried) if rank(other) < rank(value)]
    scale = _Scale(answers, holds, surely)
    found = [*scale.found(value, above, "from"), *scale.found(value, below, "up to")]
    if not found:
        return Threshold()
    text = f"holds {' and '.join(each.text for each in found)}"
    return Threshold(text, tuple(edge for each in found for edge in each.edges))


@attrs.frozen
class _Scale:
    """What is known of the values of a setting."""

    answers: Mapping[Value, bool]
    holds: _Probe
    surely: _Probe

    def found(self, value: Value, outwards: Sequence[Value], words: str) -> Iterator[Threshold]:
        """Yield the runs of values that hold on one side of the value of now, the outermost last."""
        place, fails = 0, value
        for good, group in groupby(outwards, key=self.answers.__getitem__):
            run = list(group)
            place += len(run)
            if good and len(run) == len(outwards) and value is None:
                yield from self._all(run)
            elif good and place == len(outwards):
                yield from self._open(run, fails, words)
            elif good and len(run) > 1:
                yield from self._closed(run, fails, outwards[place])
            fails = run[-1]

    def _all(self, run: Sequence[Value]) -> Iterator[Threshold]:
        """Yield all values there are, where there was no limit before."""
        if self.surely(run[0]) and self.surely(run[-1]):
            yield Threshold("with any value")

    def _open(self, run: Sequence[Value], fails: Value, words: str) -> Iterator[Threshold]:
        """Yield a run that goes on to the end of the scale."""
        for edge in self._edge(run, fails):
            named = "without a limit" if edge is None else "at 0" if edge == 0 else f"{words} {edge:,}"
            yield Threshold(named, (edge,))

    def _closed(self, run: Sequence[Value], before: Value, after: Value) -> Iterator[Threshold]:
        """Yield a run between two values that fail, if it has no holes."""
        whole = all(self.holds((one + other) // 2) for one, other in pairwise(run) if one and other)
        if not whole:
            return
        for near in self._edge(run, before):
            for far in self._edge(run[::-1], after):
                if near == far:
                    return
                low, high = sorted((near, far), key=rank)
                yield Threshold(f"from {low:,} to {high:,}", (near, far))

    def _edge(self, run: Sequence[Value], fails: Value) -> Iterator[Value]:
        """Yield the value nearest to `fails` that surely holds; none where none of the run does."""
        nearest = _nearest(fails, run[0], self.holds)
        if self.surely(nearest):
            yield nearest
            return
        fails = nearest
        for good in run:
            if self.surely(good):
                yield _nearest(fails, good, self.surely)
                return
            fails = good


def _nearest(fails: Value, good: Value, holds: _Probe) -> Value:
    """Return the value nearest to `fails` that holds as all tried beyond it do: by steps when near, else by halves."""
    if fails is None or good is None:
        return good
    step = 1 if good > fails else -1
    while abs(good - fails) > 1:
        middle = good - step if abs(good - fails) <= _SCAN else (good + fails) // 2
        if holds(middle):
            good = middle
        elif abs(good - fails) <= _SCAN:
            break
        else:
            fails = middle
    return good

"""The time that a search and its explanation may take, and what they say about themselves on the way.

What a search finds depends on counts of cases alone, so it is the same on every machine. Time only ends it early: code
that is about to begin a simulation asks `over` first, and what was cut is part of the result.
"""

from collections.abc import Callable
from time import monotonic

import attrs

from chaosqs.model.explanation import CutBy, Part
from chaosqs.model.verdict import Violation


@attrs.frozen
class Progress:
    """The state of a search."""

    stage: str
    """The present task: `searching`, `shrinking`, `explaining`."""
    cases: int = 0
    """Cases so far; 0: no case is running."""
    most: int = 0
    """Cases that the search may run."""
    violated: int = 0
    """Invariants that are violated so far."""
    about: str = ""
    """Name of the invariant whose violation is shrunk or explained."""
    part: Part | None = None
    """Part of the explanation."""
    found: Violation | None = None
    """A violation that was found just now."""


def _untold(progress: Progress) -> None:
    """Tell nobody."""


@attrs.define(eq=False)
class Meter:
    """The time of one search, or of a part of it."""

    until: float | None = None
    """Moment at which the time is over, by `clock`; None: there is no limit."""
    clock: Callable[[], float] = monotonic
    """Returns the current moment, in seconds."""
    tell: Callable[[Progress], None] = _untold
    """Takes each step of the progress."""
    stopped: list[str] = attrs.field(factory=list[str])
    """Not empty: everything ends now. Parts share it."""
    said: list[Progress] = attrs.field(factory=list[Progress])
    """The last step of the progress; empty: there was none. Parts share it."""
    waiting: int = 1
    """Violations that were found and are not explained yet; 1 or more."""

    @classmethod
    def of(cls, seconds: float | None, clock: Callable[[], float] = monotonic) -> "Meter":
        """Return a meter that ends after some seconds; None: never."""
        return cls(None if seconds is None else clock() + seconds, clock)

    @property
    def over(self) -> bool:
        """True if no further simulation may begin."""
        return bool(self.stopped) or (self.until is not None and self.clock() >= self.until)

    @property
    def left(self) -> float | None:
        """Seconds that are left; None: there is no limit."""
        return None if self.until is None else max(0.0, self.until - self.clock())

    @property
    def why(self) -> str:
        """The reason for a cut in words."""
        return "interrupted" if self.stopped else "the time was over"

    @property
    def cut_by(self) -> CutBy:
        """The reason why something is cut: `runs` if the time is not over."""
        return "interrupt" if self.stopped else "time" if self.over else "runs"

    def say(self, progress: Progress) -> None:
        """Tell a step of the progress."""
        self.said[:] = [progress]
        self.tell(progress)

    def beat(self) -> None:
        """Tell that the last step goes on, as a simulation of it begins."""
        for progress in self.said:
            self.tell(attrs.evolve(progress, found=None) if progress.found else progress)

    def search(self) -> "SearchTime":
        """Begin the time of a search, which is the first part of all."""
        return SearchTime(self, self.part(_SEARCH_SHARE))

    def part(self, share: float) -> "Meter":
        """Return the meter of a part, which ends when a share of the time left is over."""
        left = self.left
        return self if left is None else attrs.evolve(self, until=self.clock() + share * left)

    def next(self, share: float = 1) -> "Meter":
        """Return the meter of the next violation: a share of its fair share of the time left."""
        return self.part(share / max(1, self.waiting))


_SEARCH_SHARE = 0.5
"""Share of the time that a search may take once it has found a violation, which has to be explained."""


@attrs.define(eq=False)
class SearchTime:
    """The time of a search: all that there is, or a share of it once there is something to explain."""

    whole: Meter
    share: Meter
    cut: bool = False
    """True if the time was over before the search was."""

    def over(self, *, found: bool) -> bool:
        """Return True if the search must end; `found`: it has found a violation."""
        self.cut = self.cut or (self.share if found else self.whole).over
        return self.cut

"""What an invariant is to commands, searches and reports: a promise with its texts, and a judge."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from chaosqs.model.history import History
from chaosqs.model.verdict import Verdict


@attrs.frozen
class Invariant:
    """A promise about every run of a design, and the function that judges whether a history keeps it."""

    name: str
    """As commands and reports spell it: `no-dead-lettering-by-throttling`."""
    title: str
    """As stories spell it: `no dead-lettering by throttling`."""
    statement: str
    """The promise, in one sentence."""
    applies: str
    """The designs and runs that it speaks about, in one sentence."""
    unit: str
    """What `Verdict.exercised` counts."""
    default: bool
    """Whether a search judges it without being asked: a sound design keeps it, whatever AWS may legally do."""
    judge: Callable[[History], Verdict] = attrs.field(repr=False)

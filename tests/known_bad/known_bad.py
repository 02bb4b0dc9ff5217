"""What every known-bad fixture has: the invariant that it breaks, a history in which it does, and one where it just does not."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from chaosqs.model.history import History


@attrs.frozen
class KnownBad:
    """A broken consumer, a broken design or a broken fake."""

    breaks: str
    """Name of the invariant."""
    says: str
    """How the first violation reads, with `Message N` for the message that it begins with."""
    strikes: Callable[[], History]
    """A history in which the invariant is violated."""
    near_miss: Callable[[], History]
    """The same without the one thing that matters: no invariant is violated."""
    also: tuple[str, ...] = ()
    """What it cannot help breaking as well."""

"""Known-bad fixtures: each breaks an invariant in one history, and just does not break it in another."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

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
    also_broken_by: tuple[str, ...] = ()
    """Other fixtures of this directory that break the same invariant, and cannot help it."""
    shown: bool = False
    """Whether the gallery shows this one, where several break an internal invariant."""


OTHERS = ("test_known_bad", "known_bad")
NAMES = [path.stem for path in sorted(Path(__file__).parent.glob("*.py")) if path.stem not in OTHERS]
"""All fixtures of this directory."""


def known_bad(name: str) -> KnownBad:
    """Return the fixture of that name."""
    found: object = vars(import_module(f"tests.known_bad.{name}")).get("KNOWN_BAD")
    assert isinstance(found, KnownBad), f"tests/known_bad/{name}.py names no KNOWN_BAD"
    return found

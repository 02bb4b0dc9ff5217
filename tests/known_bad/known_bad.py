"""The parts of a known-bad fixture: the invariant that it breaks, a history that violates it, and a near miss."""

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
    """Sentence of the first violation, with `Message N` for the message at its beginning."""
    bad_history: Callable[[], History]
    """Return a history that violates the invariant."""
    near_miss: Callable[[], History]
    """Return the same history without the one thing that matters; it violates no invariant."""
    also_broken_by: tuple[str, ...] = ()
    """Other fixtures of this directory that unavoidably violate this invariant, too."""
    shown: bool = False
    """True if the gallery shows this one, of several that violate an internal invariant."""


OTHERS = ("test_known_bad", "known_bad")
NAMES = [path.stem for path in sorted(Path(__file__).parent.glob("*.py")) if path.stem not in OTHERS]
"""Names of all fixtures of this directory."""


def known_bad(name: str) -> KnownBad:
    """Return the fixture of that name."""
    found: object = vars(import_module(f"tests.known_bad.{name}")).get("KNOWN_BAD")
    assert isinstance(found, KnownBad), f"tests/known_bad/{name}.py names no KNOWN_BAD"
    return found

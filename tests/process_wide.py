"""Objects of this process that handlers of tests share with the test, whichever environment imports this module."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

Kept = TypeVar("Kept")
_ATTRIBUTE = "_process_wide_of_tests"


def process_wide(name: str, make: Callable[[], Kept]) -> Kept:
    """Return the object of that name, made at the first call: a module's own globals belong to one environment."""
    known: dict[str, Kept] | None = getattr(sys, _ATTRIBUTE, None)
    if known is None:
        known = {}
        setattr(sys, _ATTRIBUTE, known)
    if name not in known:
        known[name] = make()
    return known[name]

"""With what a search opens, before it draws: the worlds that are worth a try on any design, the same for every seed.

One message, then a few, then many, with all that a function may do; each kind of fault once; a fault that lasts; bodies
as large as they may be. They are small, so all of them together cost as much as a dozen cases that are drawn. What one
of them shows is found at once, whatever the seed; and where none shows anything, the draws begin where they end.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from chaosqs.explorer.lattice import Lattice
from chaosqs.explorer.order import FAILING, HEALTHY, ON_THE_EDGE
from chaosqs.model.scenario import Scenario

_DRAWN = 3
"""One case in so many at least is drawn: chance needs some, too."""
_FEW, _SEVERAL, _MANY = 2, 8, 40
_FAILING = 4
"""So many ways in which functions may fail: the others are the same of functions that take long."""


def opening(lattice: Lattice, cases: int, *, guesses: bool = False) -> Iterator[Scenario]:
    """Yield the worlds with which a search of so many cases opens, each once.

    `guesses`: whether what AWS does not document is in question, too.
    """
    seen: set[Scenario] = set()
    for world in _worlds(lattice, guesses=guesses):
        if len(seen) == cases - ceil(cases / _DRAWN):
            return
        if world not in seen:
            seen.add(world)
            yield world


def _worlds(lattice: Lattice, *, guesses: bool) -> Iterator[Scenario]:
    yield from (*_calm(lattice, 1), *_failing(lattice, 1))
    if guesses:
        yield from lattice.guessed_worlds(_SEVERAL)
    yield from (*_calm(lattice, _SEVERAL), *_calm(lattice, _MANY))
    yield from (*_calm(lattice, _FEW), *_failing(lattice, _FEW))
    yield from lattice.heavy_worlds()
    yield from lattice.struck_worlds(1, strikes=1)
    yield from lattice.struck_worlds(1, strikes=2)
    yield from lattice.struck_worlds(_FEW, strikes=1, over=1)
    yield from lattice.lasting_worlds(1)


def _calm(lattice: Lattice, messages: int) -> Iterator[Scenario]:
    yield from lattice.sudden_worlds(messages, HEALTHY)
    yield from lattice.sudden_worlds(messages, ON_THE_EDGE)


def _failing(lattice: Lattice, messages: int) -> Iterator[Scenario]:
    yield from lattice.sudden_worlds(messages, FAILING)[:_FAILING]

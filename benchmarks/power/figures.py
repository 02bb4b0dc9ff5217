"""What is measured, as values that results.json holds."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import cattrs

RESULTS = Path(__file__).parent / "results.json"
METHOD = 2
"""Which method of measuring the page describes; goes up by one when figures of before can no longer stand beside it."""


@attrs.frozen(kw_only=True)
class Figures:
    """What one seed came to."""

    seed: int
    found: bool
    cases: int
    """Up to the first violation, or all, where none was found; 0 where time ran out before that."""
    seconds: float
    """That the search took, on the wall."""
    cpu_seconds: float
    shrink_calls: int = 0
    """Simulations from the first violation to the normal form."""
    shrink_seconds: float = 0
    shrink_cpu_seconds: float = 0


@attrs.frozen(kw_only=True)
class Row:
    """What is measured of one task."""

    name: str
    kind: str
    invariant: str
    error: str = ""
    """What the machinery raised instead of an answer."""
    trials: tuple[Figures, ...] = ()
    forms: tuple[int, ...] = ()
    """For each trial that found something, the place of its normal form among `scenarios`."""
    scenarios: tuple[str, ...] = ()
    sizes: tuple[int, ...] = ()
    """For each of them."""
    smallest: int | None = None
    """The known minimum of the size."""
    named: tuple[str, ...] | None = None
    """The fields named relevant in the most frequent form; None where that is not measured."""
    relevant: tuple[str, ...] = ()
    """The truth about them."""
    f1: float | None = None


@attrs.frozen
class Section:
    """The tasks of one kind, and how they were measured."""

    how: dict[str, str | int]
    tasks: tuple[Row, ...]


@attrs.frozen(kw_only=True)
class Caught:
    """Whether the self-test of a mutant of the harness fails while it is on, and only then."""

    name: str
    why: str
    self_test: str
    caught: bool


@attrs.frozen(kw_only=True)
class Driven:
    """One baseline on one task."""

    driver: str
    task: str
    seeds: int
    cases: tuple[int | None, ...]
    """For each seed, up to the first violation; None: none found."""
    calls: tuple[int, ...]
    """For each seed, all simulations, those of shrinking included."""
    sizes: tuple[int, ...]
    """For each seed that found something."""
    forms: int
    """How many different scenarios these end in."""


@attrs.frozen
class Results:
    """All that is measured."""

    kinds: dict[str, Section] = attrs.field(factory=dict[str, Section])
    harness: tuple[Caught, ...] = ()
    baselines: tuple[Driven, ...] = ()


_converter = cattrs.Converter(forbid_extra_keys=True)
_converter.register_structure_hook(str | int, lambda value, _: value)
_converter.register_structure_hook(int | None, lambda value, _: value)
_converter.register_structure_hook(float | None, lambda value, _: value)


def read(path: Path = RESULTS) -> Results:
    """Return the results of a file; none where there is no file."""
    return _converter.structure(json.loads(path.read_text()), Results) if path.exists() else Results()


def write(results: Results, path: Path = RESULTS) -> None:
    path.write_text(json.dumps(_converter.unstructure(results), indent=1, ensure_ascii=False) + "\n")

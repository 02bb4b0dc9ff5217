"""What is measured, as values that results.json holds: no more than the pages tell."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import cattrs

from chaosqs.model.json import Json

RESULTS = Path(__file__).parent / "results.json"
METHOD = 2
"""Which method of measuring the page describes; goes up by one when figures of before can no longer stand beside it."""
LIMITS = (1, 10, 60)
"""Seconds within which a find counts."""


@attrs.frozen(kw_only=True)
class Row:
    """What is measured of one task, over all seeds."""

    name: str
    invariant: str = ""
    """Of a green design: the one that must not be violated."""
    error: str = ""
    """What the machinery raised instead of an answer."""
    cases: tuple[int, ...] = ()
    """For each seed, up to the first violation, or all, where none was found; 0 where time ran out before that."""
    forms: tuple[int | None, ...] = ()
    """For each seed, the place of its normal form among `sizes`; None where nothing was found."""
    within: tuple[int, ...] = (0,) * len(LIMITS)
    """Seeds that found something within each of `LIMITS`."""
    shrink_calls: tuple[int, ...] = ()
    """For each seed that found something, simulations from the first violation to the normal form."""
    shrink_seconds: float | None = None
    """The median of what these took; None where nothing was found."""
    sizes: tuple[int, ...] = ()
    """For each normal form."""
    smallest: int | None = None
    """The known minimum of the size."""
    f1: float | None = None
    """Of the settings that the explanation of the most frequent form names; None where that is not measured."""
    besides: tuple[str, ...] = ()
    """Settings that it names and that are not relevant."""
    left_out: tuple[str, ...] = ()
    """Settings that are relevant and that it does not name."""

    @property
    def found(self) -> tuple[tuple[bool, int], ...]:
        """Success and cases of each seed."""
        return tuple((form is not None, cases) for form, cases in zip(self.forms, self.cases, strict=True))

    @property
    def finds(self) -> tuple[int, ...]:
        """Forms of the seeds that found something."""
        return tuple(form for form in self.forms if form is not None)

    @property
    def ratios(self) -> list[float]:
        """Sizes of the finds, relative to the known minimum; none where that is not known."""
        return [self.sizes[form] / self.smallest for form in self.finds] if self.smallest else []


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


_converter = cattrs.Converter(forbid_extra_keys=True, omit_if_default=True)
_converter.register_structure_hook(str | int, lambda value, _: value)
_converter.register_structure_hook(int | None, lambda value, _: value)
_converter.register_structure_hook(float | None, lambda value, _: value)


def read(path: Path = RESULTS) -> Results:
    """Return the results of a file; none where there is no file."""
    return _converter.structure(json.loads(path.read_text()), Results) if path.exists() else Results()


def write(results: Results, path: Path = RESULTS) -> None:
    """Write the results, a row a line."""
    document: Json = json.loads(json.dumps(_converter.unstructure(results)))
    path.write_text(_text(document) + "\n")


def _text(value: Json, indent: str = "") -> str:
    """Return JSON in which only what holds objects takes more than a line."""
    line, inner = json.dumps(value, ensure_ascii=False), f"{indent} "
    if isinstance(value, dict) and "{" in line[1:]:
        parts = [f"{inner}{json.dumps(key)}: {_text(each, inner)}" for key, each in value.items()]
    elif isinstance(value, list) and "{" in line:
        parts = [f"{inner}{_text(each, inner)}" for each in value]
    else:
        return line
    return "\n".join((line[0], ",\n".join(parts), f"{indent}{line[-1]}"))

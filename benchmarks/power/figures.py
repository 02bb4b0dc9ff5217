"""The values of results.json: the measurements that the pages show."""

from __future__ import annotations

import json
from pathlib import Path

import attrs
import cattrs

from chaosqs.model.json import Json

RESULTS = Path(__file__).parent / "results.json"
METHOD = 2
"""Version of the method that the page describes; incremented when older figures are no longer comparable."""
LIMITS = (1, 10, 60)
"""Seconds within which a find counts."""


@attrs.frozen(kw_only=True)
class Row:
    """The measurements of one task over all seeds."""

    name: str
    invariant: str = ""
    """For a green design: the invariant that must not be violated."""
    error: str = ""
    """The exception that ended the search."""
    cases: tuple[int, ...] = ()
    """For each seed, cases up to the first violation, or all if none was found; 0 if time ran out before."""
    forms: tuple[int | None, ...] = ()
    """For each seed, the index of its normal form in `sizes`; None if nothing was found."""
    within: tuple[int, ...] = (0,) * len(LIMITS)
    """Seeds that found something within each of `LIMITS`."""
    shrink_calls: tuple[int, ...] = ()
    """For each seed that found something, simulations from the first violation to the normal form."""
    shrink_seconds: float | None = None
    """Median seconds from the first violation to the normal form; None if nothing was found."""
    sizes: tuple[int, ...] = ()
    """Size of each normal form."""
    smallest: int | None = None
    """The known minimum of the size."""
    f1: float | None = None
    """F1 of the settings that the explanation of the most frequent form names; None if it is not measured."""
    besides: tuple[str, ...] = ()
    """Settings that the explanation names although they are not relevant."""
    left_out: tuple[str, ...] = ()
    """Relevant settings that the explanation does not name."""

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
        """Sizes of the finds, relative to the known minimum; none if that is not known."""
        return [self.sizes[form] / self.smallest for form in self.finds] if self.smallest else []


@attrs.frozen
class Section:
    """The measured tasks of one kind."""

    how: dict[str, str | int]
    """Method, number of seeds, and versions."""
    tasks: tuple[Row, ...]


@attrs.frozen(kw_only=True)
class Caught:
    """The result of one mutant of the harness."""

    name: str
    why: str
    self_test: str
    caught: bool
    """True if the self-test fails while the mutant is on, and only then."""


@attrs.frozen(kw_only=True)
class Driven:
    """The measurements of one baseline on one task."""

    driver: str
    task: str
    seeds: int
    cases: tuple[int | None, ...]
    """For each seed, cases up to the first violation; None: none found."""
    calls: tuple[int, ...]
    """For each seed, all simulations, including those of shrinking."""
    sizes: tuple[int, ...]
    """Size of the scenario of each seed that found something."""
    forms: int
    """Number of different scenarios among these."""


@attrs.frozen
class Results:
    """All measurements."""

    kinds: dict[str, Section] = attrs.field(factory=dict[str, Section])
    harness: tuple[Caught, ...] = ()
    baselines: tuple[Driven, ...] = ()


_converter = cattrs.Converter(forbid_extra_keys=True, omit_if_default=True)
_converter.register_structure_hook(str | int, lambda value, _: value)
_converter.register_structure_hook(int | None, lambda value, _: value)
_converter.register_structure_hook(float | None, lambda value, _: value)


def read(path: Path = RESULTS) -> Results:
    """Return the results in a file; empty results if there is no file."""
    return _converter.structure(json.loads(path.read_text()), Results) if path.exists() else Results()


def write(results: Results, path: Path = RESULTS) -> None:
    """Write the results, one row per line."""
    document: Json = json.loads(json.dumps(_converter.unstructure(results)))
    path.write_text(_text(document) + "\n")


def _text(value: Json, indent: str = "") -> str:
    """Return JSON in which only values that contain objects take more than one line."""
    line, inner = json.dumps(value, ensure_ascii=False), f"{indent} "
    if isinstance(value, dict) and "{" in line[1:]:
        parts = [f"{inner}{json.dumps(key)}: {_text(each, inner)}" for key, each in value.items()]
    elif isinstance(value, list) and "{" in line:
        parts = [f"{inner}{_text(each, inner)}" for each in value]
    else:
        return line
    return "\n".join((line[0], ",\n".join(parts), f"{indent}{line[-1]}"))

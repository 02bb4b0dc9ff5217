"""What there is to judge: one question for each promise, mapping and design."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import attrs

from chaosqs import invariants
from chaosqs.errors import InvalidInput
from chaosqs.explorer.finding import Finding
from chaosqs.explorer.profiles import Profile
from chaosqs.explorer.search import search
from chaosqs.invariants import Invariant
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.session.sources import Source


@attrs.frozen
class Budget:
    """How long a search may go on, and where it begins."""

    profile: Profile
    max_examples: int | None = None
    """Cases at the most; None: as the profile says."""
    seed: int | None = None
    """None: as the profile says."""


@attrs.frozen
class Question:
    """Does a promise hold on a mapping of a design, or on all designs of a kind?"""

    design: str
    """The design's name, or that of the kind."""
    mapping: str
    """`orders→worker`; empty for a kind of designs."""
    invariant: Invariant
    path: Path
    """The file that the question is about."""
    search: Callable[[Budget], Finding] = attrs.field(repr=False)
    behaviours: Mapping[str, Behaviour] = attrs.field(factory=dict[str, Behaviour])
    """Those that are given; the search draws the others."""
    origins: Mapping[str, str] = attrs.field(factory=dict[str, str], repr=False)
    assumptions: tuple[str, ...] = ()
    canary: bool = False
    """Whether the answer must be no: then it is the search that is on trial."""

    @property
    def parts(self) -> tuple[str, ...]:
        """The question's name, in parts: design, mapping, invariant."""
        return tuple(part for part in (self.design, self.mapping, self.invariant.name) if part)


def questions_about(
    sources: Iterable[Source],
    behaviours: Mapping[str, Behaviour],
    asked: tuple[Invariant, ...] = invariants.DEFAULT,
) -> tuple[Question, ...]:
    """Return a question for each design, mapping and invariant; each design once, whatever it is called twice.

    `behaviours` hold for the functions of those names in all designs.
    """
    once = {source.name: source for source in sources}.values()
    return tuple(
        _question(source, mapping.name, invariant, behaviours)
        for source in once
        for mapping in source.design.mappings
        for invariant in asked
    )


def _question(source: Source, mapping: str, invariant: Invariant, given: Mapping[str, Behaviour]) -> Question:
    names = [function.name for function in source.design.functions]
    behaviours = {name: behaviour for name, behaviour in {**source.behaviours, **given}.items() if name in names}
    return Question(
        source.name,
        mapping,
        invariant,
        source.path,
        partial(_search, source.design, mapping, invariant, behaviours),
        behaviours,
        source.origins,
        source.assumptions,
    )


def _search(
    design: Design, mapping: str, invariant: Invariant, behaviours: Mapping[str, Behaviour], budget: Budget
) -> Finding:
    return search(
        design,
        mapping,
        invariant,
        behaviours=behaviours,
        profile=budget.profile,
        max_examples=budget.max_examples,
        seed=budget.seed,
    )


def refuse_unknown(behaviours: Mapping[str, Behaviour], sources: Iterable[Source]) -> None:
    """Raise `InvalidInput` for a behaviour of a function that no design has."""
    known = dict.fromkeys(function.name for source in sources for function in source.design.functions)
    unknown = [name for name in behaviours if name not in known]
    if unknown:
        there = ", ".join(known) or "none"
        raise InvalidInput(f"[tool.chaosqs.behaviours.{unknown[0]}]: no design has this function; there are {there}")

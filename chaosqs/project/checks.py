"""What there is to judge: one question for each promise, mapping and design."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from pathlib import Path

import attrs
from hypothesis.database import ExampleDatabase

from chaosqs import invariants
from chaosqs.errors import InvalidInput
from chaosqs.invariants import Invariant
from chaosqs.model.behaviour import Behaviour
from chaosqs.project.discovery import Source, value_in
from chaosqs.project.settings import FILE, Settings, read_settings
from chaosqs.project.wording import relative_to
from chaosqs.search.finding import Finding
from chaosqs.search.profiles import Profile
from chaosqs.search.search import Searched, searched

# Which promises a project's designs are judged by: the usual ones, the limits that it sets, and its own. -------------


def asked_of(settings: Settings, root: Path) -> tuple[Invariant, ...]:
    """Return the invariants that a project asks for, each once. Raises `InvalidInput` for those that are none."""
    limits = settings.limits
    given = [
        *invariants.DEFAULT,
        *([] if limits.oldest_message is None else [invariants.oldest_message(limits.oldest_message)]),
        *(
            []
            if limits.downstream_concurrency is None
            else [invariants.downstream_concurrency(limits.downstream_concurrency)]
        ),
        *([] if limits.throttle_rate is None else [invariants.throttle_rate(limits.throttle_rate)]),
        *(_given(name, root) for name in settings.invariants),
    ]
    return tuple({invariant.name: invariant for invariant in given}.values())


def _given(text: str, root: Path) -> Invariant:
    """Return what an entry of `invariants` stands for: the name of one of ours, or `path.py:attribute`."""
    file, colon, attribute = text.rpartition(":")
    if not colon or not file.endswith(".py"):
        try:
            return invariants.by_name(text)
        except ValueError as error:
            raise InvalidInput(f"{FILE}, [tool.chaosqs]: invariants: {error}, as path.py:name") from None
    name = relative_to(root, root / file)
    value = value_in(root / file, attribute, shown=name, root=root)
    if isinstance(value, Invariant):
        return value
    raise InvalidInput(f"{name}:{attribute}: must be an invariant: put @chaosqs.invariant('…') above the function")


def known(name: str, design: str, root: Path) -> Invariant:
    """Return the invariant that judged a design, from wherever the project has it. Raises `InvalidInput` for others."""
    try:
        return invariants.by_name(name)
    except ValueError:
        asked_of(read_settings(root), root)  # which imports the project's own
    file, _, attribute = design.rpartition(":")
    if file.endswith(".py") and (root / file).is_file():
        value_in(root / file, attribute, shown=file, root=root)
    try:
        return invariants.by_name(name)
    except ValueError as error:
        raise InvalidInput(f"{error}.\nName the file in {FILE}: [tool.chaosqs] invariants = ['path.py:name']") from None


# ---------------------------------------------------------------------------------------------------------------------


@attrs.frozen
class Budget:
    """How long a search may go on, and where it begins."""

    profile: Profile
    max_examples: int | None = None
    """Cases at the most; None: as the profile says."""
    seed: int | None = None
    """None: as the profile says."""
    vary_assumptions: bool = False
    """Whether what AWS does not document is drawn too."""
    database: ExampleDatabase | None = attrs.field(default=None, eq=False)
    """What remembers the cases that broke a promise; None: nothing does."""


@attrs.frozen
class Check:
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


def checks_about(
    sources: Iterable[Source],
    behaviours: Mapping[str, Behaviour],
    asked: tuple[Invariant, ...] = invariants.DEFAULT,
) -> tuple[Check, ...]:
    """Return a question for each design, mapping and invariant; each design once, whatever it is called twice.

    `behaviours` hold for the functions of those names in all designs.
    """
    once = {source.name: source for source in sources}.values()
    return tuple(
        check
        for source in once
        for mapping in source.design.mappings
        for check in _about(source, mapping.name, _with_own(asked, source), behaviours)
    )


def _with_own(asked: tuple[Invariant, ...], source: Source) -> tuple[Invariant, ...]:
    """Add the invariants that stand beside a design; each once, by name."""
    return tuple({invariant.name: invariant for invariant in (*asked, *source.invariants)}.values())


def _about(
    source: Source, mapping: str, asked: tuple[Invariant, ...], given: Mapping[str, Behaviour]
) -> Iterator[Check]:
    """Yield the questions about one mapping: whichever is asked first searches for all of them."""
    behaviours = source.behaved(given)
    search = lru_cache(maxsize=1)(partial(_searched, source, mapping, asked, behaviours))
    for invariant in asked:
        yield Check(
            source.name,
            mapping,
            invariant,
            source.path,
            partial(_finding, search, invariant),
            behaviours,
            source.origins,
            source.assumptions,
        )


def _searched(
    source: Source, mapping: str, asked: tuple[Invariant, ...], behaviours: Mapping[str, Behaviour], budget: Budget
) -> Searched:
    return searched(
        source.design,
        mapping,
        asked,
        behaviours=behaviours,
        profile=budget.profile,
        max_examples=budget.max_examples,
        seed=budget.seed,
        database=budget.database,
        name=source.name,
        guesses=budget.vary_assumptions,
    )


def _finding(search: Callable[[Budget], Searched], invariant: Invariant, budget: Budget) -> Finding:
    return search(budget).finding(invariant)


def refuse_unknown(behaviours: Mapping[str, Behaviour], sources: Iterable[Source]) -> None:
    """Raise `InvalidInput` for a behaviour of a function that no design has."""
    known = dict.fromkeys(function.name for source in sources for function in source.design.functions)
    unknown = [name for name in behaviours if name not in known]
    if unknown:
        there = ", ".join(known) or "none"
        raise InvalidInput(f"[tool.chaosqs.behaviours.{unknown[0]}]: no design has this function; there are {there}")

"""The checks of a project: one for each invariant, mapping and design."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache, partial
from pathlib import Path

import attrs
from hypothesis.database import ExampleDatabase

from chaosqs import invariants
from chaosqs.errors import InvalidInput
from chaosqs.explain.explain import Causes
from chaosqs.invariants import Invariant
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.explanation import CutBy, Origin
from chaosqs.project.discovery import Source, value_in
from chaosqs.project.settings import FILE, Settings, read_settings
from chaosqs.project.wording import relative_to
from chaosqs.search.finding import Finding
from chaosqs.search.meter import Meter
from chaosqs.search.profiles import Profile
from chaosqs.search.search import Searched, searched
from chaosqs.strategies.messages import MessageSource

# The invariants of a project: the defaults, those of its limits, and its own -----------------------------------------


def asked_of(settings: Settings, root: Path) -> tuple[Invariant, ...]:
    """Return the invariants that a project asks for, each once. Raises `InvalidInput` for entries that name none."""
    limits = settings.limits
    kept = None if limits.dead_letters_kept is None else invariants.dead_letters_kept(limits.dead_letters_kept)
    given = [
        *(
            kept if kept and each is invariants.DEAD_LETTER_QUEUE_OUTLIVES_SOURCE else each
            for each in invariants.DEFAULT
        ),
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
    """Return the invariant that an entry of `invariants` names: a built-in one, or `path.py:attribute`."""
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
    """Return the invariant with a name: built-in, the project's, or from the design's file. Raises `InvalidInput`."""
    try:
        return invariants.by_name(name)
    except ValueError:
        asked_of(read_settings(root), root)  # imports the project's own invariants
    file, _, attribute = design.rpartition(":")
    if file.endswith(".py") and (root / file).is_file():
        value_in(root / file, attribute, shown=file, root=root)
    try:
        return invariants.by_name(name)
    except ValueError as error:
        raise InvalidInput(f"{error}.\nName the file in {FILE}: [tool.chaosqs] invariants = ['path.py:name']") from None


# The checks ----------------------------------------------------------------------------------------------------------


@attrs.frozen
class Budget:
    """The limits and the seed of a search."""

    profile: Profile
    max_examples: int | None = None
    """Maximum cases; None: the profile's."""
    seed: int | None = None
    """Seed of the search; None: the profile's."""
    vary_assumptions: bool = False
    """The search also draws the assumptions about AWS."""
    database: ExampleDatabase | None = attrs.field(default=None, eq=False)
    """Database that stores violating scenarios; None: they are not stored."""
    unexplained: CutBy | None = None
    """Reason why violations are not explained; None: they are."""
    meter: Meter | None = attrs.field(default=None, eq=False)
    """The time of one mapping, which its checks share; None: there is no limit."""


@attrs.frozen
class Check:
    """The question whether an invariant holds on a mapping of a design, or on all designs of a strategy."""

    design: str
    """Name of the design or strategy."""
    mapping: str
    """`orders→worker`; empty for a strategy."""
    invariant: Invariant
    path: Path
    """The file of the design."""
    search: Callable[[Budget], Finding] = attrs.field(repr=False)
    behaviours: Mapping[str, Behaviour] = attrs.field(factory=dict[str, Behaviour])
    """Fixed behaviours, by function name; the search draws the others."""
    origins: Mapping[str, Origin] = attrs.field(factory=dict[str, Origin], repr=False)
    messages: Mapping[str, MessageSource] | None = attrs.field(default=None, repr=False)
    """Sources of the messages of queues, by queue name."""
    assumptions: tuple[str, ...] = ()
    canary: bool = False
    """True if a violation is expected, because the check tests the search itself."""
    causes: Causes | None = attrs.field(default=None, eq=False, repr=False)
    """The violations of the mapping that were explained before; None: each is told in full."""
    problem: str = ""
    """The reason why the handler of the mapping cannot be loaded, so that nothing is searched."""

    @property
    def parts(self) -> tuple[str, ...]:
        """The check's name in parts: design, mapping, invariant."""
        return tuple(part for part in (self.design, self.mapping, self.invariant.name) if part)


def checks_about(
    sources: Iterable[Source],
    behaviours: Mapping[str, Behaviour],
    asked: tuple[Invariant, ...] = invariants.DEFAULT,
) -> tuple[Check, ...]:
    """Return a check for each design, mapping and invariant; of designs with one name, only the last.

    `behaviours`, by function name, apply to all designs. Mappings of real code that cost least come first.
    """
    once = {source.name: source for source in sources}.values()
    return tuple(
        check
        for source in once
        for mapping in sorted(source.design.mappings, key=partial(_handlers_run, source))
        for check in _about(source, mapping.name, _with_own(asked, source), behaviours)
    )


def _handlers_run(source: Source, mapping: EventSourceMapping) -> int:
    """Return how many real handlers the messages of a mapping may reach, which is what its search costs.

    Handlers send to the queues that their variables name.
    """
    reached, found = [mapping.queue], dict[str, None]()
    for name in reached:
        queue = source.design.queue(name)
        nexts = [] if queue.redrive is None else [queue.redrive.dead_letter_queue]
        for each in source.design.mappings:
            behaviour = source.behaviours.get(each.function)
            if each.queue == name and behaviour is not None and behaviour.handler is not None:
                found[each.function] = None
                nexts += [re.split("[:/]", value)[-1] for value in behaviour.environment.values()]
        reached += [each.name for each in source.design.queues if each.name in nexts and each.name not in reached]
    return len(found)


def _with_own(asked: tuple[Invariant, ...], source: Source) -> tuple[Invariant, ...]:
    """Add the invariants in a design's file; each name once."""
    return tuple({invariant.name: invariant for invariant in (*asked, *source.invariants)}.values())


def _about(
    source: Source, mapping: str, asked: tuple[Invariant, ...], given: Mapping[str, Behaviour]
) -> Iterator[Check]:
    """Yield the checks of one mapping; the first that is run searches for all of them.

    Functions of other mappings whose handlers cannot be loaded are modelled.
    """
    behaviours = {name: each for name, each in source.behaved(given).items() if name not in source.broken}
    function = next(each.function for each in source.design.mappings if each.name == mapping)
    search = lru_cache(maxsize=1)(partial(_searched, source, mapping, asked, behaviours))
    causes = Causes()
    for invariant in asked:
        yield Check(
            source.name,
            mapping,
            invariant,
            source.path,
            partial(_finding, search, invariant),
            behaviours,
            source.origins,
            source.messages,
            source.assumptions,
            causes=causes,
            problem=source.broken.get(function, ""),
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
        vary_assumptions=budget.vary_assumptions,
        messages=source.messages,
        meter=budget.meter,
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

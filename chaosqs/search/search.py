"""Search for a scenario in which an invariant is violated, on one mapping of one design or over many designs."""

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from importlib.util import find_spec
from pathlib import Path

import attrs
from hypothesis.database import ExampleDatabase
from hypothesis.strategies import SearchStrategy

from chaosqs.errors import InvalidInput, SimulationError
from chaosqs.importers.protocol import module_file
from chaosqs.invariants import Invariant
from chaosqs.lambda_.handler_loading import definition
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.events import ServiceCalled
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict
from chaosqs.search.corpus import ScenarioGrid, seed_corpus
from chaosqs.search.coverage import SOMETIMES, reachable
from chaosqs.search.database import Memory, transferred
from chaosqs.search.finding import CodeTally, Finding
from chaosqs.search.meter import Meter, Progress
from chaosqs.search.oracle import Oracle, OutOfBudget
from chaosqs.search.profiles import CI, Profile, for_behaviours
from chaosqs.search.run import InvariantSearch, SearchRun, budgeted, finding, searched_run
from chaosqs.search.shrink import calm_form, poisoned_form, shrink, simplified
from chaosqs.simulation.run import simulate
from chaosqs.strategies import scenarios
from chaosqs.strategies.messages import MessageSource

# Names in the source of real handlers: fault points, and marks that should be reached sometimes ----------------------
#
# The source is read, not run: all names are known before the first case, so names that no case reaches can be reported.


@attrs.frozen
class NamedPoints:
    """The names in the handlers of a design, in the order of their source."""

    points: tuple[str, ...] = ()
    """Names given to `chaosqs.fault_point`, and calls that a calm run makes to other services: `dynamodb:PutItem`."""
    marks: tuple[str, ...] = ()
    """Names given to `chaosqs.sometimes`."""


def named_points(behaviours: Mapping[str, Behaviour]) -> NamedPoints:
    """Return the names in the sources of all handlers that are real code, and of what they import from beside them."""
    files = [each for each in behaviours.values() if each.handler is not None and not each.inline]
    real = [(each.code, (each.handler or "").partition(":")[0]) for each in files]
    calls = [call for code, module in dict.fromkeys(real) for call in _calls(code, module)]
    for text in dict.fromkeys(each.inline for each in behaviours.values() if each.inline):
        calls += _inline_calls(text)
    return NamedPoints(_named("fault_point", calls), _named("sometimes", calls))


def service_calls(grid: ScenarioGrid) -> tuple[str, ...]:
    """Return the calls to other services that the handlers make in a calm run of few messages, each once.

    Faults of calls are drawn for these only, so that no case is wasted on a call that nobody makes.
    """
    source = grid.sources.get(grid.queue)
    calm = grid.sudden_variants(1 if source is None else len(source.samples))[:1]
    try:
        events = [event for scenario in calm for _, event in simulate(scenario).each(ServiceCalled)]
    except (InvalidInput, SimulationError):
        return ()  # the search meets it, too, and says so
    return tuple(dict.fromkeys(f"{event.service}:{event.operation}" for event in events))


def _named(function: str, calls: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(point for called, point in calls if called == function))


@lru_cache(maxsize=64)
def _calls(code: str, module: str) -> tuple[tuple[str, str], ...]:
    """Return (function, first argument) of each call in a module's source whose first argument is a plain string.

    With a directory of code, the modules in it that the module imports count, too.
    """
    found: list[tuple[str, str]] = []
    modules = [module]
    for name in modules:
        try:
            file = module_file(Path(code), name) if code else _on_path(name)
            tree = ast.parse("" if file is None else file.read_text(encoding="utf-8"))
        except (ImportError, ValueError, OSError, SyntaxError):
            continue  # the error is reported when the handler runs
        found += _found(tree)
        inner = f"{name}.__init__" if file is not None and file.name == "__init__.py" else name
        modules += [other for other in _imported(tree, inner) if code and other not in modules]
    return tuple(found)


def _inline_calls(text: str) -> list[tuple[str, str]]:
    try:
        return list(_found(ast.parse(text)))
    except (ValueError, SyntaxError):
        return []  # as above


def _on_path(module: str) -> Path | None:
    spec = find_spec(module)
    return None if spec is None or spec.origin is None else Path(spec.origin)


def _imported(tree: ast.Module, module: str) -> list[str]:
    """Return the names of modules that a module may import, each once."""
    names: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                names += [alias.name for alias in aliases]
            case ast.ImportFrom(module=base, names=aliases, level=level):
                package = module.split(".")[:-level] if level else []
                start = [*package, *([base] if base else [])]
                names += [".".join(start), *(".".join([*start, alias.name]) for alias in aliases)]
            case _:
                pass
    return [name for name in dict.fromkeys(names) if name]


def _found(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=[ast.Constant(value=str(point)), *_]):
                yield name, point
            case _:
                pass


# Searching one mapping or many designs -------------------------------------------------------------------------------

_SHRINK_SHARE = 0.5
"""Share of the time for one violation that shrinking may take; the rest is for the explanation."""


@attrs.define(eq=False)
class Searched:
    """A mapping that was searched; the finding of an invariant is shrunk on request."""

    design: Design
    index: EventSourceMapping
    grid: ScenarioGrid
    named: NamedPoints
    search_run: SearchRun | None
    """None: the mapping is switched off, and nothing was searched."""

    def finding(self, invariant: Invariant) -> Finding:
        """Return the finding of one of the search's invariants. Raises as `search` does."""
        mapping = self.index.name
        if self.search_run is None:
            idle = Verdict(invariant.name, Status.NOT_APPLICABLE, f"{mapping} is switched off")
            return Finding(mapping, invariant.name, idle, cases=0)
        own = next(each for each in self.search_run.searches if each.oracle.invariant is invariant)
        users = [f"{SOMETIMES} {mark}" for mark in self.named.marks]
        wanted = [*reachable(self.design, self.named.points), *users]
        missed = [mark for mark in wanted if not own.tally.coverage[mark]]
        smallest = None if own.open else self._smallest(self.search_run, own)
        if smallest is not None and own.memory is not None:
            own.memory.keep(smallest)  # the shortest is recalled first, so the next search need not shrink again
        found = finding(own, mapping, smallest, () if smallest else missed, _cut(self.search_run, own))
        code = self.search_run.code
        return found if code is None or not code.failing else _of_failing_code(found, code)

    def _smallest(self, search_run: SearchRun, own: InvariantSearch) -> Scenario:
        """Return the normal form of a violation, or what is nearest to it when the time is over."""
        name, meter = own.oracle.invariant.name, search_run.meter
        meter.say(Progress("shrinking", about=name))
        own.oracle.meter = meter.next(_SHRINK_SHARE)
        try:
            return self._shrunk(search_run, own)
        except OutOfBudget:
            assert own.tally.violating is not None, f"nothing violates {name}"
            return own.tally.violating

    def _shrunk(self, search_run: SearchRun, own: InvariantSearch) -> Scenario:
        simulations = search_run.budget.shrink_simulations
        found = own.tally.violating
        poisoned = None if found is None else poisoned_form(found, self.grid, own.oracle, simulations)
        calm = poisoned or calm_form(self.grid, own.oracle, simulations)
        if calm is not None:
            return calm
        # Hypothesis's own shrinker draws all cases again: code with a budget of its own begins with what was found.
        limited = search_run.budget.explain_simulations is not None or own.oracle.spent
        smallest = found if limited and found is not None else search_run.smallest(own)
        return simplified(smallest, self.grid, own.oracle, simulations)


def _cut(search_run: SearchRun, own: InvariantSearch) -> str:
    """Return what the end of the time cut: cases of the search, or the way to the smallest violation."""
    if own.open:
        return f"{own.tally.cases:,} of {search_run.planned:,} cases were tried" if search_run.time.cut else ""
    return "not shrunk to the end" if own.oracle.meter.over else ""


def _of_failing_code(found: Finding, code: CodeTally) -> Finding:
    """Return the finding about code that never succeeded: nothing holds, as nothing was tried on code that works."""
    verdict, failing = found.verdict, code.failing
    if verdict.status in {Status.HOLDS, Status.NOT_EXERCISED}:
        verdict = attrs.evolve(verdict, status=Status.NOT_EXERCISED, reason=failing, exercised=0)
    return attrs.evolve(found, verdict=verdict, failing=failing, refused=code.is_refused)


def searched(  # noqa: PLR0913 - as `explore`
    design: Design,
    mapping: str,
    invariants: Sequence[Invariant],
    *,
    behaviours: Mapping[str, Behaviour] | None = None,
    profile: Profile = CI,
    max_examples: int | None = None,
    seed: int | None = None,
    database: ExampleDatabase | None = None,
    name: str = "",
    vary_assumptions: bool = False,
    messages: Mapping[str, MessageSource] | None = None,
    meter: Meter | None = None,
) -> Searched:
    """Search one mapping of a design for violations of several invariants in one pass; otherwise as `search`.

    `name`: the design's name, its key in the database. `vary_assumptions`: also draw the assumptions about AWS.
    `messages`: what the messages of queues are, by queue name. `meter`: the time of the search and its explanation.
    """
    index, given = _mapping_named(design, mapping), dict(behaviours or {})
    real = any(behaviour.handler is not None for behaviour in given.values())
    named = named_points(given)
    budget = budgeted(for_behaviours(profile, given), max_examples, seed)
    grid = ScenarioGrid(design, index.queue, given, named.points, dict(messages or {}), budget.messages)
    if not index.enabled:
        return Searched(design, index, grid, named, None)
    if real:
        named = attrs.evolve(named, points=(*named.points, *service_calls(grid)))
        grid = attrs.evolve(grid, points=named.points)
    cases = _drawn_on(grid, vary_assumptions=vary_assumptions)
    first = seed_corpus(grid, budget.max_examples, vary_assumptions=vary_assumptions)
    kept = None if database is None else _memory(database, name, grid, mapping, vary_assumptions=vary_assumptions)
    own = given.get(index.function, Behaviour())
    code = None if own.handler is None else CodeTally(mapping, definition(own))
    search_run = searched_run(
        cases, invariants, budget, queue=index.queue, seed_corpus=first, memory=kept, real=real, code=code, meter=meter
    )
    return Searched(design, index, grid, named, search_run)


def _drawn_on(grid: ScenarioGrid, *, vary_assumptions: bool) -> SearchStrategy[Scenario]:
    """Return the strategy for scenarios of the grid's design in which its queue gets a load."""
    return scenarios(
        grid.design,
        queue=grid.queue,
        behaviours=grid.given,
        points=grid.points,
        messages=grid.most_drawn,
        vary_assumptions=vary_assumptions,
        sources=grid.sources,
    )


def search(
    design: Design,
    mapping: str,
    invariant: Invariant,
    *,
    behaviours: Mapping[str, Behaviour] | None = None,
    profile: Profile = CI,
    max_examples: int | None = None,
    seed: int | None = None,
    database: ExampleDatabase | None = None,
) -> Finding:
    """Search one design for a violation that concerns a mapping (`orders→worker`), and shrink the finding.

    `behaviours`, by function name, are fixed; those of other functions are drawn. `max_examples` (1 or more) and `seed`
    override the profile's. Raises ValueError for a mapping that the design does not have, `NotDeterministic` if two
    runs of one scenario differ, and the simulator's exceptions.
    """
    found = searched(
        design,
        mapping,
        (invariant,),
        behaviours=behaviours,
        profile=profile,
        max_examples=max_examples,
        seed=seed,
        database=database,
    )
    return found.finding(invariant)


def search_designs(
    designs: SearchStrategy[Design],
    invariant: Invariant,
    *,
    profile: Profile = CI,
    max_examples: int | None = None,
    seed: int | None = None,
    database: ExampleDatabase | None = None,
    meter: Meter | None = None,
) -> Finding:
    """Search all designs of a strategy for a violation on any of their mappings, and shrink the finding."""
    budget = budgeted(profile, max_examples, seed)
    memory = None if database is None else Memory(database, attrs.evolve, (repr(designs),))
    search_run = searched_run(scenarios(designs), (invariant,), budget, memory=memory, meter=meter)
    own = search_run.searches[0]
    if own.open:
        return finding(own, "", cut=_cut(search_run, own))
    scenario = search_run.smallest(own)
    mapping = _blamed(scenario, own.oracle)
    own.oracle = Oracle(invariant, mapping.queue, meter=search_run.meter)
    return finding(own, mapping.name, shrink(scenario, own.oracle, simulations=profile.shrink_simulations))


def _memory(
    database: ExampleDatabase, name: str, grid: ScenarioGrid, mapping: str, *, vary_assumptions: bool
) -> Memory:
    """Return the part of a database for a mapping; it does not depend on the settings of the design."""
    design, given = grid.design, grid.given
    named = (design.queues, design.functions, design.mappings)
    parts = [part.name for parts in named for part in parts]
    fit = partial(transferred, design=design, behaviours=given)
    return Memory(database, fit, (name, mapping, *parts, *sorted(given), f"guesses {vary_assumptions}"))


def _mapping_named(design: Design, name: str) -> EventSourceMapping:
    for mapping in design.mappings:
        if mapping.name == name:
            return mapping
    names = ", ".join(mapping.name for mapping in design.mappings) or "none"
    raise ValueError(f"no mapping is called {name!r}: the design has {names}")


def _blamed(scenario: Scenario, oracle: Oracle) -> EventSourceMapping:
    """Return the mapping that the first violation of a scenario concerns."""
    queue = oracle.judge(simulate(scenario)).violations[0].queue
    mappings = scenario.design.mappings
    return next((mapping for mapping in mappings if mapping.queue == queue), mappings[0])

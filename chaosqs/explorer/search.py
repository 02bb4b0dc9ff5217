"""Search for a scenario in which an invariant is violated, on one mapping of one design or over many designs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import attrs
from hypothesis.database import ExampleDatabase
from hypothesis.strategies import SearchStrategy

from chaosqs.explorer.finding import Finding
from chaosqs.explorer.lattice import Lattice
from chaosqs.explorer.memory import Memory
from chaosqs.explorer.opening import opening
from chaosqs.explorer.oracle import Oracle
from chaosqs.explorer.profiles import CI, Profile
from chaosqs.explorer.reached import SOMETIMES, reachable
from chaosqs.explorer.shrink import calm_form, shrink, simplified
from chaosqs.explorer.sites import Sites, sites
from chaosqs.explorer.sweep import Sweep, Trial, budgeted, finding, swept
from chaosqs.explorer.transfer import transferred
from chaosqs.invariants import Invariant
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict
from chaosqs.simulator.run import isolated
from chaosqs.strategies import scenarios


@attrs.define(eq=False)
class Searched:
    """A mapping that was searched; each invariant's finding is shrunk when it is asked for."""

    design: Design
    place: EventSourceMapping
    lattice: Lattice
    named: Sites
    sweep: Sweep | None
    """None: the mapping is switched off, and nothing was searched."""

    def finding(self, invariant: Invariant) -> Finding:
        """Return what the search has to say about one of its invariants. Raises as `search` does."""
        mapping = self.place.name
        if self.sweep is None:
            idle = Verdict(invariant.name, Status.NOT_APPLICABLE, f"{mapping} is switched off")
            return Finding(mapping, invariant.name, idle, cases=0)
        trial = next(trial for trial in self.sweep.trials if trial.oracle.invariant is invariant)
        users = [f"{SOMETIMES} {mark}" for mark in self.named.marks]
        wanted = [*reachable(self.design, self.named.points), *users]
        missed = [mark for mark in wanted if not trial.tally.reached[mark]]
        smallest = None if trial.open else self._smallest(self.sweep, trial)
        if smallest is not None and trial.memory is not None:
            trial.memory.keep(smallest)  # the shortest is recalled first: what is small already need not shrink again
        return finding(trial, mapping, smallest, () if smallest else missed)

    def _smallest(self, sweep: Sweep, trial: Trial) -> Scenario:
        simulations = sweep.budget.shrink_simulations
        calm = calm_form(self.lattice, trial.oracle, simulations)
        return calm or simplified(sweep.smallest(trial), self.lattice, trial.oracle, simulations)


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
    guesses: bool = False,
) -> Searched:
    """Search one mapping of a design for violations of several invariants in one pass; otherwise as `search`.

    `name`: of the design, which tells it from others in the database. `guesses`: whether what AWS does not document is
    drawn too.
    """
    place = _mapping_named(design, mapping)
    given = dict(behaviours or {})
    named = sites(given)
    lattice = Lattice(design, place.queue, given, named.points)
    if not place.enabled:
        return Searched(design, place, lattice, named, None)
    budget = budgeted(profile, max_examples, seed)
    sweep = swept(
        scenarios(design, queue=place.queue, behaviours=given, points=named.points, guesses=guesses),
        invariants,
        budget,
        queue=place.queue,
        worlds=opening(lattice, budget.max_examples, guesses=guesses),
        memory=None if database is None else _memory(database, name, lattice, mapping, guesses=guesses),
        schedules=any(behaviour.handler is not None for behaviour in given.values()),
    )
    return Searched(design, place, lattice, named, sweep)


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
    """Search one design for a violation that concerns a mapping (`orders→worker`), and shrink what is found.

    `behaviours`, by function name, are taken as given; those of other functions are drawn. `max_examples` (1 or more)
    and `seed` override the profile's. Raises ValueError for a mapping that the design does not have,
    `NotDeterministic` where the simulator contradicts itself, and what the simulator raises.
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
) -> Finding:
    """Search all designs of a strategy for a violation on any of their mappings, and shrink what is found."""
    budget = budgeted(profile, max_examples, seed)
    memory = None if database is None else Memory(database, attrs.evolve, (repr(designs),))
    sweep = swept(scenarios(designs), (invariant,), budget, memory=memory)
    trial = sweep.trials[0]
    if trial.open:
        return finding(trial, "")
    scenario = sweep.smallest(trial)
    mapping = _blamed(scenario, trial.oracle)
    trial.oracle = Oracle(invariant, mapping.queue)
    return finding(trial, mapping.name, shrink(scenario, trial.oracle, simulations=profile.shrink_simulations))


def _memory(database: ExampleDatabase, name: str, lattice: Lattice, mapping: str, *, guesses: bool) -> Memory:
    """Return what a database knows of a mapping, whatever the settings of the design were when it was found."""
    design, given = lattice.design, lattice.given
    named = (design.queues, design.functions, design.mappings)
    parts = [part.name for parts in named for part in parts]
    fit = partial(transferred, design=design, behaviours=given)
    return Memory(database, fit, (name, mapping, *parts, *sorted(given), f"guesses {guesses}"))


def _mapping_named(design: Design, name: str) -> EventSourceMapping:
    for mapping in design.mappings:
        if mapping.name == name:
            return mapping
    names = ", ".join(mapping.name for mapping in design.mappings) or "none"
    raise ValueError(f"no mapping is called {name!r}: the design has {names}")


def _blamed(scenario: Scenario, oracle: Oracle) -> EventSourceMapping:
    """Return the mapping that the first violation of a scenario concerns."""
    queue = oracle.judge(isolated(scenario)).violations[0].queue
    mappings = scenario.design.mappings
    return next((mapping for mapping in mappings if mapping.queue == queue), mappings[0])

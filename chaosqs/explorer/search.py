"""Search for a scenario in which an invariant is violated, on one mapping of one design or over many designs."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping

import attrs
from hypothesis import event, target
from hypothesis.database import ExampleDatabase
from hypothesis.strategies import SearchStrategy

from chaosqs.errors import NotDeterministic
from chaosqs.explorer.drawing import Shelf, Stop, hunt
from chaosqs.explorer.finding import Finding
from chaosqs.explorer.lattice import Lattice
from chaosqs.explorer.oracle import Oracle
from chaosqs.explorer.profiles import CI, Profile
from chaosqs.explorer.reached import MARKS, margins, reached
from chaosqs.explorer.shrink import calm_form, shrink, simplified
from chaosqs.invariants import Invariant
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict
from chaosqs.simulator.run import simulate
from chaosqs.strategies import scenarios


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
    place = _mapping_named(design, mapping)
    if not place.enabled:
        idle = Verdict(invariant.name, Status.NOT_APPLICABLE, f"{mapping} is switched off")
        return Finding(mapping, invariant.name, idle, cases=0)
    given = dict(behaviours or {})
    shelf = None if database is None else Shelf(database, f"{invariant.name} {mapping} {design!r} {given!r}")
    strategy = scenarios(design, queue=place.queue, behaviours=given)
    hunter = _Hunter(strategy, Oracle(invariant, place.queue), _budget(profile, max_examples, seed), shelf)
    if not hunter.finds():
        return hunter.finding(mapping)
    lattice = Lattice(design, place.queue, given)
    smallest = calm_form(lattice, hunter.oracle, profile.shrink_simulations)
    if smallest is None:
        smallest = simplified(hunter.smallest(), lattice, hunter.oracle, profile.shrink_simulations)
    return hunter.finding(mapping, smallest)


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
    shelf = None if database is None else Shelf(database, f"{invariant.name} {designs!r}")
    hunter = _Hunter(scenarios(designs), Oracle(invariant, None), _budget(profile, max_examples, seed), shelf)
    if not hunter.finds():
        return hunter.finding("")
    scenario = hunter.smallest()
    mapping = _blamed(scenario, hunter.oracle)
    hunter.oracle = Oracle(invariant, mapping.queue)
    return hunter.finding(mapping.name, shrink(scenario, hunter.oracle, simulations=profile.shrink_simulations))


def _budget(profile: Profile, max_examples: int | None, seed: int | None) -> Profile:
    """Return a profile with what the user says instead, and with a seed."""
    chosen = profile.seed if seed is None else seed
    return attrs.evolve(
        profile,
        max_examples=profile.max_examples if max_examples is None else max_examples,
        seed=secrets.randbits(32) if chosen is None else chosen,
    )


@attrs.define
class _Tally:
    """What the cases of a search came to."""

    cases: int = 0
    exercised: int = 0
    statuses: Counter[Status] = attrs.field(factory=Counter[Status])
    reasons: Counter[str] = attrs.field(factory=Counter[str])
    excused: dict[str, None] = attrs.field(factory=dict[str, None])
    reached: Counter[str] = attrs.field(factory=Counter[str])
    violating: Scenario | None = None
    """The last scenario that violated the invariant: the smallest, once the search has ended."""

    def add(self, history: History, verdict: Verdict, marks: Iterable[str]) -> None:
        """Count one case; those of shrinking, which follow the first violation, do not count."""
        if self.violating is None:
            self.cases += 1
            self.exercised += verdict.exercised
            self.statuses[verdict.status] += 1
            self.reasons[verdict.reason] += 1
            self.reached.update(marks)
            if len(self.excused) < _EXCUSES:
                self.excused.update(dict.fromkeys(verdict.excused[:1]))
        if verdict.status is Status.VIOLATED:
            self.violating = history.scenario

    def verdict(self, invariant: str) -> Verdict:
        """Return the verdict on all cases together, where none is violated."""
        excused = tuple(self.excused)
        if self.statuses[Status.HOLDS]:
            return Verdict(invariant, Status.HOLDS, exercised=self.exercised, excused=excused)
        status = Status.NOT_EXERCISED if self.statuses[Status.NOT_EXERCISED] else Status.NOT_APPLICABLE
        reason = max(self.reasons, key=lambda text: self.reasons[text], default="")
        return Verdict(invariant, status, reason, excused=excused)


_EXCUSES = 10


@attrs.define
class _Hunter:
    """One search: what it draws, how it judges, what it has found."""

    strategy: SearchStrategy[Scenario]
    oracle: Oracle
    budget: Profile
    database: ExampleDatabase | None
    tally: _Tally = attrs.field(factory=_Tally)

    def finds(self) -> bool:
        """Draw until a case violates the invariant, or the budget is spent."""
        return self._hunts(self.database, shrinking=False)

    def smallest(self) -> Scenario:
        """Draw the same cases again, and let Hypothesis shrink the one that violates the invariant.

        Without the database: it would take what it has for small already. If it was the one that knew the scenario,
        it stays as it is.
        """
        self._hunts(None, shrinking=True)
        if self.tally.violating is None:
            raise NotDeterministic("a violation was found once, and not when the search was repeated")
        return self.tally.violating

    def _hunts(self, database: ExampleDatabase | None, *, shrinking: bool) -> bool:
        return hunt(
            self.strategy,
            self._case,
            max_examples=self.budget.max_examples,
            random_seed=self.budget.seed or 0,
            shrinking=shrinking,
            database=database,
        )

    def _case(self, scenario: Scenario) -> None:
        history = _simulated(scenario)
        verdict = self.oracle.judge(history)
        marks = reached(history)
        self.tally.add(history, verdict, marks)
        for mark in marks:
            event(mark)
        for label, value in margins(history).items():
            target(value, label=label)
        if verdict.status is Status.VIOLATED:
            raise Stop

    def finding(self, mapping: str, smallest: Scenario | None = None) -> Finding:
        """Return what the search has to say; a counterexample only after it has proved to be deterministic."""
        name, tally = self.oracle.invariant.name, self.tally
        counts = {mark: tally.reached[mark] for mark in MARKS if tally.reached[mark]}
        if smallest is None:
            return Finding(mapping, name, tally.verdict(name), tally.cases, counts)
        verdict = self.oracle.judge(simulate(smallest, verify=True))
        assert verdict.status is Status.VIOLATED, f"the shrinker lost the violation of {name}: {smallest!r}"
        return Finding(mapping, name, verdict, tally.cases, counts, smallest)


def _simulated(scenario: Scenario) -> History:
    """Simulate, and note the scenario on whatever goes wrong."""
    try:
        return simulate(scenario)
    except Exception as error:
        error.add_note(f"while simulating {scenario!r}")
        raise


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

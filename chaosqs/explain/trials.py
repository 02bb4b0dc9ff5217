"""The trials that a claim must pass: the counterexample under other seeds and larger loads, then the search itself.

A claim is about a design: the counterexample's with another value of a setting. A design is first screened with trials
that are the same for all claims about one counterexample; those that rejected a design come first, as they probably
reject others, too. What passes is confirmed with seeds and cases that nothing was chosen by: the smallest value that
passes some trials passes them by chance more often than others do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property, reduce
from itertools import cycle, islice
from operator import add
from typing import TypeVar

import attrs

from chaosqs.errors import InvalidInput, SimulationError
from chaosqs.invariants import DEFAULT, OURS, Invariant
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import Design
from chaosqs.model.explanation import SAFE_CASES, SAFE_SEEDS, Evidence, Toll
from chaosqs.model.faults import OK
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.model.workload import Burst, Load, Steady, arrivals
from chaosqs.search.corpus import ScenarioGrid, seed_corpus
from chaosqs.search.drawing import draws
from chaosqs.search.oracle import Oracle, RunResult
from chaosqs.search.simplicity import ending
from chaosqs.simulation.run import simulate
from chaosqs.strategies import scenarios

_Item = TypeVar("_Item")

# Larger loads --------------------------------------------------------------------------------------------------------

_PATTERN = (20, 5, 2, 5, 2, 1, 20, 2, 5, 2, 1, 2)
"""Multiples of the counterexample's load, by seed, in turn; the first one's messages come at once."""
FACTORS = (1, 2, 5, 20)
"""Multiples of the counterexample's load."""
_MOST_MESSAGES = 400
"""Maximum messages of a larger load."""


def enlarged(scenario: Scenario, factor: int) -> Scenario:
    """Return a scenario with a multiple of its messages in the same time.

    The share of poison messages stays. Each fault strikes once: at the first message that stands for the one it was at.
    """
    plan = scenario.faults
    return ending(
        attrs.evolve(
            scenario,
            workload=tuple(_enlarged(load, factor) for load in scenario.workload),
            behaviours={
                name: attrs.evolve(each, poison=tuple(number * factor for number in each.poison))
                for name, each in scenario.behaviours.items()
            },
            faults=attrs.evolve(
                plan, messages=_spread(plan.messages, (), factor), sends=_spread(plan.sends, OK, factor)
            ),
        )
    )


def _spread(plan: Sequence[_Item], empty: _Item, factor: int) -> list[_Item]:
    return [item for one in plan for item in (one, *[empty] * (factor - 1))]


def _enlarged(load: Load, factor: int) -> Load:
    if isinstance(load, Steady):
        return attrs.evolve(load, per_second=load.per_second * factor)
    return attrs.evolve(load, count=load.count * factor)


def _sudden(scenario: Scenario) -> Scenario:
    """Return a scenario whose messages all arrive at once."""
    loads = (attrs.evolve(load, over=0) if isinstance(load, Burst) else load for load in scenario.workload)
    return ending(attrs.evolve(scenario, workload=tuple(loads)))


def factors(scenario: Scenario, most: int) -> tuple[int, ...]:
    """Return the multiples of a scenario's load that have at most `most` messages; 1 at least."""
    count = len(arrivals(scenario.workload))
    return tuple(factor for factor in FACTORS if factor == 1 or factor * count <= most)


# The trials ----------------------------------------------------------------------------------------------------------

_SCREEN = 4  # violating scenarios that are enough to reject most designs
_MOST_KILLERS = 5  # scenarios that rejected a design and are tried first on others
_MOST_NEAR = 2  # of them that are tried with other seeds and larger loads, too
_NEAR = 16  # share of the seeds with which each of these is tried, as a divisor
_SCREENING = 8  # share of the cases that are drawn first, as a divisor
_PROBES = 60  # seeds from which the rate of a design is estimated
_FEW = 20  # seeds from which changes are compared that are no fixes alone
_STEPS = (5, 10, 20, 40, _PROBES)
"""Numbers of seeds after which two rates are compared."""
_EXCLUDED = 0.05  # probability of an error in all claims of an explanation together
_CLAIMS = 20  # claims that it is shared among
_SEEDS_A_SET = 50  # seeds of a claim for each trial under each other assumption set
_ELSEWHERE = 1_000  # the first seed of those trials


@attrs.frozen
class Confirmation:
    """The trials of a design in which the invariant held throughout."""

    evidence: Evidence
    """No violation in the seeds of larger loads."""
    cases: int
    """Cases of the search on the design, none of which violates the invariant."""
    messages: int
    """Messages of the largest load."""
    sets: int = 0
    """Other assumption sets under which larger loads hold, too."""


@attrs.define(eq=False, slots=False)
class Trials:
    """The trials of all claims about one counterexample, and what is known from them."""

    oracle: Oracle
    scenario: Scenario
    """The counterexample."""
    grid: ScenarioGrid
    seeds: int = SAFE_SEEDS
    cases: int = SAFE_CASES
    others: tuple[Assumptions, ...] = ()
    """Other assumption sets about AWS under which a claim must hold."""
    killers: list[Scenario] = attrs.field(factory=list[Scenario])
    """Scenarios that rejected a design, the latest first."""
    _seeming: dict[Design, bool] = attrs.field(factory=dict[Design, bool])
    _confirmed: dict[Design, Confirmation | None] = attrs.field(factory=dict[Design, "Confirmation | None"])
    _attempts: int = 0
    """Confirmations that were begun, each with its own seeds and cases."""

    @cached_property
    def population(self) -> tuple[Scenario, ...]:
        """The counterexample under other seeds and with multiples of its load."""
        return tuple(self._with_loads(self.scenario, range(self.seeds)))

    def _with_loads(self, scenario: Scenario, seeds: range) -> Iterator[Scenario]:
        """Yield a scenario under other seeds and with multiples of its load."""
        largest, *_ = reversed(factors(scenario, self.most))
        loads = [enlarged(scenario, min(factor, largest)) for factor in _PATTERN]
        loads[0] = _sudden(loads[0])
        for index, seed in enumerate(seeds):
            yield attrs.evolve(loads[index % len(loads)], seed=seed)

    @property
    def most(self) -> int:
        """Maximum messages of a larger load; real code costs more."""
        return self.grid.most if self.grid.real else _MOST_MESSAGES

    @cached_property
    def base(self) -> Evidence:
        """The rate of violations in the population without a change, from its first scenarios."""
        return self.rate(self.scenario.design)

    @cached_property
    def violating(self) -> tuple[Scenario, ...]:
        """The first scenarios that violate the invariant without a change: the counterexample, then others."""
        found = (each for each in self.population[:_PROBES] if self.oracle.violated(each))
        own = ending(self.scenario)
        return (own, *(each for each in islice(found, 2 * _SCREEN) if each != own))

    @cached_property
    def elsewhere(self) -> tuple[Scenario, ...]:
        """The violating scenarios in turn, with fresh seeds, a few under each other assumption set."""
        each, tests = max(1, self.seeds // _SEEDS_A_SET), cycle(self.violating)
        under = (assumed for assumed in self.others for _ in range(each))
        return tuple(
            attrs.evolve(next(tests), seed=_ELSEWHERE + number, assumptions=assumed)
            for number, assumed in enumerate(under)
        )

    @property
    def excludes(self) -> bool:
        """True if no violation in all seeds of the population excludes that nothing has changed.

        (1 - p)ⁿ, with p the lower end of the rate without a change, is the probability that chance alone gave none.
        """
        return (1 - self.base.interval()[0]) ** len(self.population) <= _EXCLUDED / _CLAIMS

    def rejected(self, design: Design) -> bool | None:
        """Return True if a known scenario violates the invariant with a design; None if the design cannot be run."""
        ran = False
        for test in dict.fromkeys((*self.killers, *self.violating[: _SCREEN + 1])):
            result = self.oracle.redesigned(test, design)
            if result is not None and result.violated:
                self._prefer(test)
                return True
            ran = ran or result is not None
        return False if ran else None

    def price(self, design: Design) -> tuple[Toll, ...]:
        """Return what a design that is not rejected does worse in the violating scenarios; empty: nothing."""
        pairs = [(self.oracle.result(test), self.oracle.redesigned(test, design)) for test in self.violating]
        known = [(before, after) for before, after in pairs if after is not None]
        if not known:
            return ("not_finished",)
        befores, afters = [before for before, _ in known], [after for _, after in known]
        return reduce(add, afters).tolls(reduce(add, befores), by_chance=len(known) > 1)

    def confirmed(self, design: Design) -> Confirmation | None:
        """Return the trials of a design if none violates the invariant, else None; the first violation ends them.

        The seeds and cases are of this confirmation alone.
        """
        if design not in self._confirmed:
            self._confirmed[design] = self._confirmation(design) if self.seem(design) else None
        return self._confirmed[design]

    def seem(self, design: Design) -> bool:
        """Return True if a design passes the screening: the trials that reject most.

        These are the scenarios that rejected other designs, under other seeds and with larger loads, the first of the
        population, and some drawn cases.
        """
        if design not in self._seeming:
            self._seeming[design] = (
                self.pass_some(design)
                and self._hold(self.population[:_PROBES], design)
                and self._hold(self.drawn(design, max(1, self.cases // _SCREENING)), design)
            )
        return self._seeming[design]

    def pass_some(self, design: Design) -> bool:
        """Return True if a design passes the trials that rejected others, and the first of the population."""
        return (
            self.rejected(design) is False
            and self._hold(self._near_killers(), design)
            and self._hold(self.population[:_FEW], design)
        )

    def _near_killers(self) -> list[Scenario]:
        first = len(self.population)
        seeds = range(first, first + max(1, first // _NEAR))
        return [near for killer in self.killers[:_MOST_NEAR] for near in self._with_loads(killer, seeds)]

    def certain(self, design: Design, tried: int) -> Confirmation | None:
        """Return a few trials of a design that AWS's rules prove, if none violates the invariant, else None."""
        tests = self.population[:tried]
        held = self._hold(tests, design) and self.holds_elsewhere(design)
        return self._confirmation_of(tests, 0) if held else None

    def holds_elsewhere(self, design: Design) -> bool:
        """Return True if larger loads hold with a design under all other assumption sets."""
        return self._hold(self.elsewhere, design)

    def rate(self, design: Design) -> Evidence:
        """Return the rate of violations with a design in the first scenarios of the population."""
        tests = self.population[:_PROBES]
        results = [self.oracle.redesigned(test, design) for test in tests]
        return Evidence(sum(result is None or result.violated for result in results), len(tests), "larger_loads")

    def compared(self, design: Design) -> tuple[Evidence, int]:
        """Return the rate of violations with a design, from as many seeds as it takes to compare it with `base`.

        With it: -1 if violations are rarer, 0 if the rate is about the same or higher, 1 if neither is established.
        """
        violated = tried = 0
        for test in self.population[:_PROBES]:
            result = self.oracle.redesigned(test, design)
            violated, tried = violated + (result is None or result.violated), tried + 1
            if tried not in _STEPS:
                continue
            found = Evidence(violated, tried, "larger_loads")
            if found.interval()[1] < self.base.interval()[0]:
                return found, -1
            if violated >= _SCREEN and violated / tried >= self.base.violations / self.base.trials / 2:
                return found, 0
        return Evidence(violated, tried, "larger_loads"), 1

    def misses(self, design: Design) -> int | None:
        """Return the violations that a design leaves in some scenarios that violate the invariant without a change.

        None: it leaves them all.
        """
        tests = dict.fromkeys((*self.killers, *self.population[:_FEW]))
        violating = [test for test in tests if (was := self._as_it_was(test)) is not None and was.violated]
        results = [self.oracle.redesigned(test, design) for test in violating]
        missed = sum(result is None or result.violated for result in results)
        return missed if missed < len(violating) else None

    def _as_it_was(self, test: Scenario) -> RunResult | None:
        return self.oracle.redesigned(test, self.scenario.design)

    def others_broken(self, design: Design) -> tuple[str, ...]:
        """Return the other default invariants that a design violates and the design without a change does not."""
        after = Counter(name for test in self.population[:_PROBES] for name in self._others(test, design))
        if not after:
            return ()
        before = {name for test in self.population[:_PROBES] for name in self._others(test, self.scenario.design)}
        return tuple(name for name in after if name not in before)

    def searched(self, design: Design) -> list[Scenario]:
        """Return the cases of a search of a design."""
        corpus = self._corpus(design)
        return [*corpus, *self.drawn(design, self.cases - len(corpus))]

    def drawn(self, design: Design, cases: int, seed: int = 0) -> list[Scenario]:
        """Return cases that a search of a design draws after its seed corpus."""
        grid = attrs.evolve(self.grid, design=design)
        drawn = scenarios(
            design,
            queue=grid.queue,
            behaviours=grid.given,
            points=grid.points,
            messages=grid.most_drawn,
            sources=grid.sources,
        )
        return draws(drawn, cases, seed) if cases else []

    def _confirmation(self, design: Design) -> Confirmation | None:
        self._attempts += 1
        first = self._attempts * 2 * len(self.population)
        fresh = list(self._with_loads(self.scenario, range(first, first + len(self.population))))
        corpus = self._corpus(design)
        drawn = self.drawn(design, self.cases - len(corpus), self._attempts)
        if all(self._hold(tests, design) for tests in (corpus, drawn, fresh)) and self.holds_elsewhere(design):
            return self._confirmation_of(fresh, self.cases)
        return None

    def _corpus(self, design: Design) -> list[Scenario]:
        return list(seed_corpus(attrs.evolve(self.grid, design=design), self.cases))

    def _confirmation_of(self, tests: Sequence[Scenario], cases: int) -> Confirmation:
        largest = max(len(arrivals(test.workload)) for test in tests)
        return Confirmation(Evidence(0, len(tests), "larger_loads"), cases, largest, len(self.others))

    def _hold(self, tests: Sequence[Scenario], design: Design) -> bool:
        for test in tests:
            result = self.oracle.redesigned(test, design)
            if result is not None and result.violated:
                self._prefer(test)
                return False
        return True

    def _prefer(self, test: Scenario) -> None:
        """Move a scenario to the front of those that reject designs."""
        self.killers = [test, *(other for other in self.killers if other != test)][:_MOST_KILLERS]

    @cached_property
    def _silent(self) -> tuple[Invariant, ...]:
        out = {self.oracle.invariant.name, *(ours.name for ours in OURS)}
        return tuple(invariant for invariant in DEFAULT if invariant.name not in out)

    def _others(self, test: Scenario, design: Design) -> list[str]:
        self.oracle.count()
        try:
            history = simulate(ending(attrs.evolve(test, design=design)))
        except (InvalidInput, SimulationError):
            return []
        verdicts = [self.oracle.alone.settled(invariant, history) for invariant in self._silent]
        return [verdict.invariant for verdict in verdicts if verdict.status is Status.VIOLATED]

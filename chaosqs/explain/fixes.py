"""Finds fixes of a counterexample: changes of the design that pass every trial, the cheapest first.

All changes have the same trials: the counterexample with other seeds, calm scenarios of the grid with many messages,
and scenarios drawn as the search draws them. Single settings are tried first. Only if none of them passes, pairs of
those with the fewest violations are tried.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property
from itertools import combinations, islice
from math import log2

import attrs

from chaosqs.errors import InvalidInput, SimulationError
from chaosqs.explain.settings import Candidate, both, candidate_values, redesigned
from chaosqs.invariants import DEFAULT, NO_DEAD_LETTERING_BY_THROTTLING, OURS, Invariant
from chaosqs.model.delivery import Ending
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.events import InvocationStarted
from chaosqs.model.explanation import Evidence, Fix, Price, SettingPath, Value
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.search.corpus import ScenarioGrid
from chaosqs.search.drawing import draws
from chaosqs.search.oracle import Oracle, OutOfBudget
from chaosqs.search.simplicity import ending
from chaosqs.simulation.run import simulate
from chaosqs.strategies import scenarios

# The cost of a change: time to drain, latency and concurrency, relative to before ------------------------------------


def doublings(price: Price) -> float:
    """Return a price as one figure: the number of doublings of all parts together; decreases do not count."""
    return sum(log2(1 + part) for part in (price.drain, price.latency, price.concurrency) if part and part > 0)


def cost(before: History, after: History, function: str) -> Price:
    """Compare two runs of one workload."""
    first, second = _latencies(before), _latencies(after)
    both = [message for message in first if message in second]
    return Price(
        relative(after.drained_at_ms, before.drained_at_ms),
        relative(sum(second[message] for message in both), sum(first[message] for message in both)),
        relative(_peak(after, function), _peak(before, function)),
    )


def relative(after: int | None, before: int | None) -> float | None:
    """Return the relative growth; None if a value is missing or the one before is 0."""
    return None if after is None or not before else round((after - before) / before, 3)


def _latencies(history: History) -> dict[int, int]:
    """Return the milliseconds from each message's send to its first successful invocation."""
    found: dict[int, int] = {}
    for message, deliveries in history.deliveries.items():
        ends = [one.ended for one in deliveries if one.ending is Ending.PROCESSED and one.ended is not None]
        sent = history.sent.get(message)
        if ends and sent is not None:
            found[message] = min(history.events[end].at for end in ends) - sent.at
    return found


def _peak(history: History, function: str) -> int:
    started = (event for _, event in history.each(InvocationStarted) if event.function == function)
    return max((event.running for event in started), default=0)


# The trials of a fix: the same scenarios for all changes, and the invariants that are violated in them ---------------

_LARGE_LOADS = (60, 40, 20, 10, 5)
NEAR_MISS_TRIALS = 30  # maximum trials used to estimate how close a change comes to a fix
REJECT_AFTER = 8  # violations after which a change is rejected, if every trial so far violates the invariant


def validation_scenarios(scenario: Scenario, grid: ScenarioGrid, trials: int) -> tuple[Scenario, ...]:
    """Return a number of trials, under the faults of the counterexample and under others.

    A quarter are the counterexample with seeds from 0, up to a quarter calm grid scenarios of large loads under its
    faults, and the rest are drawn as the search draws, with faults of their own.
    """
    own = [attrs.evolve(ending(scenario), seed=seed) for seed in range(max(1, trials // 4))]
    variants = [variant for count in grid.counts(_LARGE_LOADS) for variant in grid.variants(count)][: trials // 4]
    calm = [ending(attrs.evolve(variant, faults=scenario.faults)) for variant in variants]
    drawn = scenarios(
        scenario.design,
        queue=grid.queue,
        behaviours=grid.given,
        messages=grid.most_drawn,
        sources=grid.sources,
    )
    return (*own, *calm, *draws(drawn, trials - len(own) - len(calm)))


@attrs.define(slots=False, eq=False)
class FixValidation:
    """The trials of all fixes of one counterexample."""

    oracle: Oracle
    """Judges the violated invariant, and counts the simulations."""
    tests: list[Scenario]
    """The trials; one that rejects a change moves to the front, because it may reject others, too."""

    @property
    def others(self) -> tuple[Invariant, ...]:
        """The default invariants that a fix must not violate, except the violated one and those in `OURS`."""
        silent = {self.oracle.invariant.name, *(ours.name for ours in OURS)}
        return tuple(invariant for invariant in DEFAULT if invariant.name not in silent)

    def broken(self, design: Design) -> tuple[str, ...] | None:
        """Return the other invariants that only the changed design violates; None if the change is not a fix."""
        after: Counter[str] = Counter()
        for index, test in enumerate(self.tests):
            history = self._run(test, design)
            if history is None or self._violates(history):
                self.tests.insert(0, self.tests.pop(index))
                return None
            after.update(self._others_violated(history))
        return tuple(name for name in after if not self._before[name])

    def misses(self, design: Design) -> int | None:
        """Return the violations of a design in a sample of the trials; None if it hardly helps.

        The sample is spread evenly over the trials that violate the invariant without a change.
        """
        sample = self.violating[:: len(self.violating) // NEAR_MISS_TRIALS + 1]
        if not sample:
            return None
        missed = 0
        for index, test in enumerate(sample):
            history = self._run(test, design)
            missed += history is None or self._violates(history)
            if missed == index + 1 == min(REJECT_AFTER, len(sample)):
                return None
        return missed

    def remaining(self, design: Design) -> int:
        """Return the number of the trials that violate the invariant both without and with a change."""
        histories = [self._run(test, design) for test in self.violating]
        return sum(history is None or self._violates(history) for history in histories)

    @cached_property
    def _before(self) -> Counter[str]:
        """Number of trials in which each other invariant is violated without a change."""
        histories = [self._run(test, test.design) for test in self.tests]
        return Counter(name for history in histories if history for name in self._others_violated(history))

    @cached_property
    def violating(self) -> list[Scenario]:
        """The trials that violate the invariant without a change."""
        return [test for test in self.tests if self.oracle.violated(test)]

    def _violates(self, history: History) -> bool:
        return self.oracle.judge(history).status is Status.VIOLATED

    def _others_violated(self, history: History) -> list[str]:
        verdicts = [self.oracle.alone.settled(invariant, history) for invariant in self.others]
        return [verdict.invariant for verdict in verdicts if verdict.status is Status.VIOLATED]

    def _run(self, test: Scenario, design: Design) -> History | None:
        """Run a trial with another design; None if it does not fit or cannot be simulated."""
        self.oracle.count()
        try:
            return simulate(test if design == test.design else ending(attrs.evolve(test, design=design)))
        except (InvalidInput, SimulationError):
            return None


# The fixes -----------------------------------------------------------------------------------------------------------

_SETTINGS_IN_PAIRS = 4  # maximum settings that are tried in pairs
_MAX_PAIRS = 2  # maximum pairs that are returned
_MAX_HELPFUL = 2  # maximum changes that are returned because they at least help, if none is a fix
_PAIR_SIMULATIONS = 4  # maximum simulations of pairs, as a multiple of the trials


@attrs.frozen
class _Proof:
    """The tests that a change must pass: the counterexample, then the trials."""

    scenario: Scenario
    mapping: EventSourceMapping
    oracle: Oracle
    validation: FixValidation
    before: History
    """The run of the counterexample."""

    def fix(self, candidate: Candidate) -> tuple[float, Fix] | None:
        """Return a change with its cost, or None if it is not a fix."""
        design = self._curing(candidate)
        broken = None if design is None else self.validation.broken(design)
        if design is None or broken is None:
            return None
        return self._priced(candidate, design, Evidence(0, len(self.validation.tests), "trials"), broken)

    def help(self, candidate: Candidate) -> tuple[float, Fix] | None:
        """Return a change with its cost if it leaves violations in at most half of the trials that had one, or None."""
        design = self._curing(candidate)
        left, of = 0 if design is None else self.validation.remaining(design), len(self.validation.violating)
        if design is None or not 0 < left <= of / 2:
            return None
        return self._priced(candidate, design, Evidence(left, of, "violating_trials"))

    def _curing(self, candidate: Candidate) -> Design | None:
        """Return the changed design if it cures the counterexample: see `RunResult.cures`."""
        design = redesigned(self.scenario.design, candidate)
        after = None if design is None else self.oracle.redesigned(self.scenario, design)
        cured = after is not None and after.cures(self.oracle.result(ending(self.scenario)))
        return design if cured else None

    def _priced(
        self, candidate: Candidate, design: Design, evidence: Evidence, breaks: tuple[str, ...] = ()
    ) -> tuple[float, Fix]:
        """Return the cost of a change as one figure, with the fix."""
        price = cost(self.before, simulate(ending(attrs.evolve(self.scenario, design=design))), self.mapping.function)
        rules = _excluding(design, self.mapping, self.oracle)
        return candidate.size + doublings(price), Fix(candidate.changes, evidence, price, rules, breaks)


def fixes(
    scenario: Scenario,
    mapping: EventSourceMapping,
    oracle: Oracle,
    grid: ScenarioGrid,
    trials: int,
    *,
    edges: Mapping[SettingPath, Sequence[Value]] | None = None,
) -> tuple[Fix, ...]:
    """Return the changes with which no trial violates the invariant, the cheapest first.

    `grid` has the fixed behaviours and the messages. `edges`: for each setting, the ends of the ranges at which the
    counterexample keeps the invariant. The smallest change of each setting and direction is returned. The cost is the
    number of doublings of the setting, time to drain, latency and concurrency. Changes that violate another invariant
    come last. If nothing prevents the violation, as with a limit that some fault always breaks, the changes that come
    nearest are returned; their evidence counts only the trials that violate the invariant without them. Once the oracle
    is out of budget, those found so far are returned.
    """
    tests = list(validation_scenarios(scenario, grid, trials))
    proof = _Proof(scenario, mapping, oracle, FixValidation(oracle, tests), simulate(ending(scenario)))
    known = [list(candidates) for candidates in candidate_values(scenario.design, mapping, edges)]
    proven: list[tuple[float, Fix]] = []
    with suppress(OutOfBudget):
        for candidates in known:
            found = _first(proof, iter(candidates))
            proven += [] if found is None else [found]
        if not proven:
            limit, near = oracle.simulations + _PAIR_SIMULATIONS * trials, _nearest(proof, known)
            proven = _pairs(proof, near, limit) or _helpful(proof, near)
    return tuple(fix for _, fix in sorted(proven, key=lambda entry: (bool(entry[1].breaks), entry[0])))


def _first(proof: _Proof, candidates: Iterator[Candidate]) -> tuple[float, Fix] | None:
    return next((found for candidate in candidates if (found := proof.fix(candidate)) is not None), None)


def _pairs(proof: _Proof, near: list[list[Candidate]], limit: int) -> list[tuple[float, Fix]]:
    """Return the first fixes among pairs of the nearest settings; no pair starts once `limit` simulations are spent."""

    def affordable(candidates: list[Candidate]) -> Iterator[Candidate]:
        for candidate in candidates:
            if proof.oracle.simulations >= limit:
                return
            yield candidate

    found = (_first(proof, affordable(both(*pair))) for pair in combinations(near, 2))
    return list(islice((fix for fix in found if fix is not None), _MAX_PAIRS))


def _helpful(proof: _Proof, near: list[list[Candidate]]) -> list[tuple[float, Fix]]:
    """Return the largest change of each of the nearest settings, if it at least halves the violations."""
    found = (proof.help(candidates[-1]) for candidates in near)
    return list(islice((fix for fix in found if fix is not None), _MAX_HELPFUL))


def _nearest(proof: _Proof, known: list[list[Candidate]]) -> list[list[Candidate]]:
    """Return the settings' candidates whose largest change leaves the fewest violations, the best setting first."""
    ranked: list[tuple[int, list[Candidate]]] = []
    for candidates in known:
        designs = (redesigned(proof.scenario.design, candidate) for candidate in reversed(candidates))
        largest = next((design for design in designs if design is not None), None)
        missed = None if largest is None else proof.validation.misses(largest)
        if missed is not None:
            ranked.append((missed, candidates))
    return [candidates for _, candidates in sorted(ranked, key=lambda entry: entry[0])][:_SETTINGS_IN_PAIRS]


def _excluding(design: Design, mapping: EventSourceMapping, oracle: Oracle) -> tuple[str, ...]:
    """Return the ledger rules that exclude the violation: a fitting maximum concurrency (MC-1, MC-3)."""
    throttling = oracle.invariant.name == NO_DEAD_LETTERING_BY_THROTTLING.name
    return ("MC-1", "MC-3") if throttling and design.maximum_concurrency_fits(mapping.function) else ()

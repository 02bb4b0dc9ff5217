"""What prevents a counterexample: changes of the design that survive every trial, those that cost least first.

The trials are the same for all changes: the counterexample with other seeds, the calm worlds of the scenario grid with many
messages, and scenarios drawn as the search draws them. Single settings come first; only where none of them survives,
pairs of those that came nearest are tried.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import combinations, islice
from math import log2

import attrs

from chaosqs.errors import InvalidInput, SimulationError
from chaosqs.explain.settings import Candidate, both, candidate_values, redesigned
from chaosqs.invariants import DEFAULT, NO_DEAD_LETTERING_BY_THROTTLING, OURS, Invariant
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.delivery import Ending
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.events import InvocationStarted
from chaosqs.model.explanation import Evidence, Fix, Price, SettingPath, Value
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.search.corpus import ScenarioGrid
from chaosqs.search.drawing import draws
from chaosqs.search.oracle import Oracle
from chaosqs.search.simplicity import ending
from chaosqs.simulation.run import isolated
from chaosqs.strategies import scenarios

# What a change of the design costs: time to drain, latency and concurrency, relative to before. ----------------------


def doublings(price: Price) -> float:
    """Return a price as one figure: how many times something doubles; what becomes less counts nothing."""
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
    """Return by how much something grew; None where there is nothing to compare with."""
    return None if after is None or not before else round((after - before) / before, 3)


def _latencies(history: History) -> dict[int, int]:
    """Return how long each message took until some invocation succeeded on it, in milliseconds."""
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


# The trials of a fix: the same scenarios for all changes of the design, and what each promise comes to in them. ------

_LARGE_LOADS = (60, 40, 20, 10, 5)
_SAMPLE, _HOPELESS = 30, 8
"""From so many trials at the most it is told how near a change comes to a fix, and from so many that it does not."""


def trial_scenarios(
    scenario: Scenario, mapping: EventSourceMapping, given: Mapping[str, Behaviour], trials: int
) -> tuple[Scenario, ...]:
    """Return so many scenarios, under the faults of the counterexample and under others.

    A quarter is the counterexample with other seeds, a quarter the calm worlds of large loads under its faults, and the
    rest is drawn as the search draws, faults and all.
    """
    own = [attrs.evolve(ending(scenario), seed=seed) for seed in range(max(1, trials // 4))]
    grid = ScenarioGrid(scenario.design, mapping.queue, given)
    variants = [variant for count in _LARGE_LOADS for variant in grid.variants(count)][: trials // 4]
    calm = [ending(attrs.evolve(variant, faults=scenario.faults)) for variant in variants]
    drawn = draws(scenarios(scenario.design, queue=mapping.queue, behaviours=given), trials - len(own) - len(calm))
    return (*own, *calm, *drawn)


@attrs.define(slots=False, eq=False)
class FixValidation:
    """The trials of the fixes of one counterexample."""

    oracle: Oracle
    """Answers for the invariant in question, and counts the simulations."""
    tests: list[Scenario]
    """Whichever has ended the trial of a change stands first: it may well do so again."""

    @property
    def others(self) -> tuple[Invariant, ...]:
        """The promises that a fix must not break: what a search judges without being asked, but for our own."""
        silent = {self.oracle.invariant.name, *(ours.name for ours in OURS)}
        return tuple(invariant for invariant in DEFAULT if invariant.name not in silent)

    def broken(self, design: Design) -> tuple[str, ...] | None:
        """Return the other promises that a design breaks although they held before; None where it is no fix."""
        after: Counter[str] = Counter()
        for index, test in enumerate(self.tests):
            history = self._run(test, design)
            if history is None or self._violates(history):
                self.tests.insert(0, self.tests.pop(index))
                return None
            after.update(_violated(history, self.others))
        return tuple(name for name in after if not self._before[name])

    def misses(self, design: Design) -> int | None:
        """Return in how many trials of a sample a design still violates the invariant; None where it hardly helps.

        The sample is of all kinds of trials that violate it without a change.
        """
        sample = self.violating[:: len(self.violating) // _SAMPLE + 1]
        if not sample:
            return None
        missed = 0
        for index, test in enumerate(sample):
            history = self._run(test, design)
            missed += history is None or self._violates(history)
            if missed == index + 1 == min(_HOPELESS, len(sample)):
                return None
        return missed

    def remaining(self, design: Design) -> int:
        """Return how many of the trials that violate the invariant without a change still do."""
        histories = [self._run(test, design) for test in self.violating]
        return sum(history is None or self._violates(history) for history in histories)

    @cached_property
    def _before(self) -> Counter[str]:
        """In how many trials each other promise is broken without a change."""
        histories = [self._run(test, test.design) for test in self.tests]
        return Counter(name for history in histories if history for name in _violated(history, self.others))

    @cached_property
    def violating(self) -> list[Scenario]:
        """The trials that violate the invariant without a change."""
        return [test for test in self.tests if self.oracle.violated(test)]

    def _violates(self, history: History) -> bool:
        return self.oracle.judge(history).status is Status.VIOLATED

    def _run(self, test: Scenario, design: Design) -> History | None:
        """Run a trial with another design; None where it does not fit, or cannot be simulated."""
        self.oracle.simulations += 1
        try:
            return isolated(test if design == test.design else ending(attrs.evolve(test, design=design)))
        except (InvalidInput, SimulationError):
            return None


def _violated(history: History, invariants: tuple[Invariant, ...]) -> list[str]:
    verdicts = [invariant.judge(history) for invariant in invariants]
    return [verdict.invariant for verdict in verdicts if verdict.status is Status.VIOLATED]


# ---------------------------------------------------------------------------------------------------------------------

_NEAREST = 4
"""Settings that are tried in pairs."""
_PAIRS = 2
"""Pairs that are enough."""
_HELPFUL = 2
"""Changes that are told although they do not prevent it, where nothing does."""
_SHARE = 4
"""Simulations that pairs may take, as a multiple of the trials."""


@attrs.frozen
class _Proof:
    """Everything before which a change must prove itself."""

    scenario: Scenario
    mapping: EventSourceMapping
    oracle: Oracle
    trials: FixValidation
    before: History
    """The run of the counterexample."""

    def fix(self, candidate: Candidate) -> tuple[float, Fix] | None:
        """Return a change with what it costs, or None where it is no fix."""
        design = self._curing(candidate)
        broken = None if design is None else self.trials.broken(design)
        if design is None or broken is None:
            return None
        return self._priced(candidate, design, Evidence(0, len(self.trials.tests), "trials"), broken)

    def help(self, candidate: Candidate) -> tuple[float, Fix] | None:
        """Return a change that leaves some violations, in half of the trials that had one at the most."""
        design = self._curing(candidate)
        left, of = 0 if design is None else self.trials.remaining(design), len(self.trials.violating)
        if design is None or not 0 < left <= of / 2:
            return None
        return self._priced(candidate, design, Evidence(left, of, "violating_trials"))

    def _curing(self, candidate: Candidate) -> Design | None:
        """Return the changed design if the change costs the counterexample nothing else: see `Answer.cures`."""
        design = redesigned(self.scenario.design, candidate)
        after = None if design is None else self.oracle.redesigned(self.scenario, design)
        cured = after is not None and after.cures(self.oracle.answer(ending(self.scenario)))
        return design if cured else None

    def _priced(
        self, candidate: Candidate, design: Design, evidence: Evidence, breaks: tuple[str, ...] = ()
    ) -> tuple[float, Fix]:
        """Return a change with its price, and that as one figure."""
        price = cost(self.before, isolated(ending(attrs.evolve(self.scenario, design=design))), self.mapping.function)
        rules = _excluding(design, self.mapping, self.oracle)
        return candidate.size + doublings(price), Fix(candidate.changes, evidence, price, rules, breaks)


def fixes(
    scenario: Scenario,
    mapping: EventSourceMapping,
    oracle: Oracle,
    given: Mapping[str, Behaviour],
    trials: int,
    *,
    edges: Mapping[SettingPath, Sequence[Value]] | None = None,
) -> tuple[Fix, ...]:
    """Return the changes with which no trial violates the invariant, those that cost least first.

    `edges`: for each setting, the values from which on the counterexample itself keeps the invariant. Of each
    setting the smallest change that does. What counts is how often something doubles: the setting itself, the
    time to drain, the latency, the concurrency. What breaks another promise comes last. Where nothing prevents it, as
    with a limit that some fault always breaks, what comes nearest: its evidence counts the trials that had it.
    """
    tests = list(trial_scenarios(scenario, mapping, given, trials))
    proof = _Proof(scenario, mapping, oracle, FixValidation(oracle, tests), isolated(ending(scenario)))
    known = [list(candidates) for candidates in candidate_values(scenario.design, mapping, edges)]
    proven = [found for candidates in known if (found := _first(proof, iter(candidates))) is not None]
    if not proven:
        limit, near = oracle.simulations + _SHARE * trials, _nearest(proof, known)
        proven = _pairs(proof, near, limit) or _helpful(proof, near)
    return tuple(fix for _, fix in sorted(proven, key=lambda entry: (bool(entry[1].breaks), entry[0])))


def _first(proof: _Proof, candidates: Iterator[Candidate]) -> tuple[float, Fix] | None:
    return next((found for candidate in candidates if (found := proof.fix(candidate)) is not None), None)


def _pairs(proof: _Proof, near: list[list[Candidate]], limit: int) -> list[tuple[float, Fix]]:
    """Return the first fixes among pairs of the settings that come nearest; none begins after so many simulations."""

    def affordable(candidates: list[Candidate]) -> Iterator[Candidate]:
        for candidate in candidates:
            if proof.oracle.simulations >= limit:
                return
            yield candidate

    found = (_first(proof, affordable(both(*pair))) for pair in combinations(near, 2))
    return list(islice((fix for fix in found if fix is not None), _PAIRS))


def _helpful(proof: _Proof, near: list[list[Candidate]]) -> list[tuple[float, Fix]]:
    """Return what comes nearest where nothing prevents it: the largest change of a setting that at least halves it."""
    found = (proof.help(candidates[-1]) for candidates in near)
    return list(islice((fix for fix in found if fix is not None), _HELPFUL))


def _nearest(proof: _Proof, known: list[list[Candidate]]) -> list[list[Candidate]]:
    """Return the series of candidate values whose largest change leaves the fewest violations, the best first; none that leaves all."""
    ranked: list[tuple[int, list[Candidate]]] = []
    for candidates in known:
        designs = (redesigned(proof.scenario.design, candidate) for candidate in reversed(candidates))
        largest = next((design for design in designs if design is not None), None)
        missed = None if largest is None else proof.trials.misses(largest)
        if missed is not None:
            ranked.append((missed, candidates))
    return [candidates for _, candidates in sorted(ranked, key=lambda entry: entry[0])][:_NEAREST]


def _excluding(design: Design, mapping: EventSourceMapping, oracle: Oracle) -> tuple[str, ...]:
    """Return the rules that exclude the violation: mappings that fit are never throttled (MC-1, MC-3)."""
    throttling = oracle.invariant.name == NO_DEAD_LETTERING_BY_THROTTLING.name
    return ("MC-1", "MC-3") if throttling and design.maximum_concurrency_fits(mapping.function) else ()

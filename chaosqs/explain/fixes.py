"""Finds fixes of a counterexample: changes of the design that pass every trial, the cheapest first.

All changes have the same trials (see `trials`). Single settings are tried first. Only if none of them passes, pairs of
those with the fewest violations are tried.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import combinations, islice
from math import log2

import attrs

from chaosqs.explain.settings import Candidate, both, candidate_values, rank, redesigned
from chaosqs.explain.trials import Trials
from chaosqs.invariants import NO_DEAD_LETTERING_BY_THROTTLING
from chaosqs.model.delivery import Ending
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.events import InvocationStarted
from chaosqs.model.explanation import Fix, Price, Setting
from chaosqs.model.history import History
from chaosqs.search.oracle import Oracle, OutOfBudget
from chaosqs.search.simplicity import ending
from chaosqs.simulation.run import simulate

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


# The fixes -----------------------------------------------------------------------------------------------------------

_SETTINGS_IN_PAIRS = 4  # maximum settings that are tried in pairs
_MAX_PAIRS = 2  # maximum pairs that are returned
_MAX_HELPFUL = 2  # maximum changes that are returned because they at least help, if none is a fix
_PAIR_SIMULATIONS = 4  # maximum simulations of pairs, as a multiple of the trials
_CERTAIN = 20  # trials of a change that AWS's rules prove


@attrs.frozen
class _Proof:
    """The tests that a change must pass."""

    mapping: EventSourceMapping
    trials: Trials
    before: History
    """The run of the counterexample."""

    def fix(self, candidate: Candidate) -> tuple[float, Fix] | None:
        """Return a change with its cost, or None if it is not a fix."""
        design = redesigned(self.trials.scenario.design, candidate)
        if design is None or self.trials.rejected(design) is not False or self.trials.price(design):
            return None
        rules = _excluding(design, self.mapping, self.trials.oracle)
        found = self.trials.certain(design, _CERTAIN) if rules else self.trials.confirmed(design)
        if found is None:
            return None
        fix = Fix(
            candidate.changes,
            found.evidence,
            base=self.trials.base,
            cases=found.cases,
            conclusive=bool(rules) or self.trials.excludes,
            rules=rules,
            breaks=self.trials.others_broken(design),
            sets=found.sets,
        )
        return self._priced(candidate, design, fix)

    def help(self, candidate: Candidate) -> tuple[float, Fix] | None:
        """Return a change with its cost if it makes the violation rarer, or None."""
        design = redesigned(self.trials.scenario.design, candidate)
        if design is None or self.trials.rejected(design) is None:
            return None
        found, order = self.trials.compared(design)
        if order >= 0 or not found.violations or self.trials.price(design):
            return None
        return self._priced(candidate, design, Fix(candidate.changes, found, base=self.trials.base))

    def _priced(self, candidate: Candidate, design: Design, fix: Fix) -> tuple[float, Fix]:
        """Return the cost of a change as one figure, with the fix."""
        after = simulate(ending(attrs.evolve(self.trials.scenario, design=design)))
        price = cost(self.before, after, self.mapping.function)
        return candidate.size + doublings(price), attrs.evolve(fix, price=price)


def fixes(mapping: EventSourceMapping, trials: Trials, settings: Sequence[Setting] | None) -> tuple[Fix, ...]:
    """Return the changes with which no trial violates the invariant, the cheapest first.

    `settings`: the settings with their parts, if these are known; then only values that are safe are tried alone. The
    smallest change of each setting and direction is returned. The cost is the number of doublings of the setting, time
    to drain, latency and concurrency. Changes that violate another invariant come last. If nothing prevents the
    violation, as with a limit that some fault always breaks, changes that make it rarer are returned. Once the oracle
    is out of budget, those found so far are returned.
    """
    scenario, oracle = trials.scenario, trials.oracle
    proof = _Proof(mapping, trials, simulate(ending(scenario)))
    edges = {each.path: each.edges for each in settings or ()}
    known = [list(candidates) for candidates in candidate_values(scenario.design, mapping, edges)]
    proven: list[tuple[float, Fix]] = []
    with suppress(OutOfBudget):
        for candidates in known:
            found = _first(proof, (each for each in candidates if settings is None or _safe(each, settings)))
            proven += [] if found is None else [found]
        if not proven:
            limit, near = oracle.simulations + _PAIR_SIMULATIONS * (trials.seeds + trials.cases), _nearest(proof, known)
            proven = _pairs(proof, near, limit) or _helpful(proof, near)
    return tuple(fix for _, fix in sorted(proven, key=lambda entry: (bool(entry[1].breaks), entry[0])))


def _safe(candidate: Candidate, settings: Sequence[Setting]) -> bool:
    """Return True if a change leads to a value that is safe by its setting's part, or that AWS's rules may prove."""
    change = candidate.changes[0]
    if change.setting.attribute == "maximum_concurrency":
        return True
    safe = (each.thresholds for each in settings if each.path == change.setting)
    return any(
        rank(change.after) >= rank(one.value) if one.side == "at_least" else rank(change.after) <= rank(one.value)
        for thresholds in safe
        for one in thresholds
    )


def _first(proof: _Proof, candidates: Iterable[Candidate]) -> tuple[float, Fix] | None:
    return next((found for candidate in candidates if (found := proof.fix(candidate)) is not None), None)


def _pairs(proof: _Proof, near: list[list[Candidate]], limit: int) -> list[tuple[float, Fix]]:
    """Return the first fixes among pairs of the nearest settings; no pair starts once `limit` simulations are spent."""

    def affordable(candidates: list[Candidate]) -> Iterator[Candidate]:
        for candidate in candidates:
            if proof.trials.oracle.simulations >= limit:
                return
            yield candidate

    found = (_first(proof, affordable(both(*pair))) for pair in combinations(near, 2))
    return list(islice((fix for fix in found if fix is not None), _MAX_PAIRS))


def _helpful(proof: _Proof, near: list[list[Candidate]]) -> list[tuple[float, Fix]]:
    """Return the largest change of each of the nearest settings, if it makes the violation rarer."""
    found = (proof.help(candidates[-1]) for candidates in near)
    return list(islice((fix for fix in found if fix is not None), _MAX_HELPFUL))


def _nearest(proof: _Proof, known: list[list[Candidate]]) -> list[list[Candidate]]:
    """Return the settings' candidates whose largest change makes the violation rarest, the best setting first."""
    ranked: list[tuple[int, list[Candidate]]] = []
    for candidates in known:
        designs = (redesigned(proof.trials.scenario.design, candidate) for candidate in reversed(candidates))
        largest = next((design for design in designs if design is not None), None)
        if largest is None:
            continue
        missed = proof.trials.misses(largest)
        if missed is not None:
            ranked.append((missed, candidates))
    return [candidates for _, candidates in sorted(ranked, key=lambda entry: entry[0])][:_SETTINGS_IN_PAIRS]


def _excluding(design: Design, mapping: EventSourceMapping, oracle: Oracle) -> tuple[str, ...]:
    """Return the ledger rules that exclude the violation: a fitting maximum concurrency (MC-1, MC-3)."""
    throttling = oracle.invariant.name == NO_DEAD_LETTERING_BY_THROTTLING.name
    return ("MC-1", "MC-3") if throttling and design.maximum_concurrency_fits(mapping.function) else ()

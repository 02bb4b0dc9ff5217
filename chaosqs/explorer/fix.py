"""What prevents a counterexample: changes of the design that survive every trial, those that cost least first.

The trials are the same for all changes: the counterexample with other luck, the calm worlds of the lattice with many
messages, and scenarios drawn as the search draws them. Single settings come first; only where none of them survives,
pairs of those that came nearest are tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, islice

import attrs

from chaosqs.explorer.candidates import Candidate, both, changes, ladders, redesigned
from chaosqs.explorer.cost import cost
from chaosqs.explorer.dials import Value
from chaosqs.explorer.oracle import Oracle
from chaosqs.explorer.order import ending
from chaosqs.explorer.trials import Trials, trial_scenarios
from chaosqs.invariants import NO_DEAD_LETTERING_BY_THROTTLING
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.counterexample import Fix
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.simulator.run import isolated

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
    trials: Trials
    before: History
    """The run of the counterexample."""

    def fix(self, candidate: Candidate) -> tuple[float, Fix] | None:
        """Return a change with what it costs, or None where it is no fix."""
        design = self._curing(candidate)
        broken = None if design is None else self.trials.broken(design)
        if design is None or broken is None:
            return None
        return self._told(candidate, design, Fix(candidate.text, 0, len(self.trials.tests), breaks=broken))

    def help(self, candidate: Candidate) -> tuple[float, Fix] | None:
        """Return a change that leaves some violations, in half of the trials that had one at the most."""
        design = self._curing(candidate)
        left, of = 0 if design is None else self.trials.remaining(design), len(self.trials.violating)
        if design is None or not 0 < left <= of / 2:
            return None
        return self._told(candidate, design, Fix(candidate.text, left, of))

    def _curing(self, candidate: Candidate) -> Design | None:
        """Return the changed design if the change costs the counterexample nothing else: see `Answer.cures`."""
        design = redesigned(self.scenario.design, candidate)
        after = None if design is None else self.oracle.redesigned(self.scenario, design)
        cured = after is not None and after.cures(self.oracle.answer(ending(self.scenario)))
        return design if cured else None

    def _told(self, candidate: Candidate, design: Design, fix: Fix) -> tuple[float, Fix]:
        """Complete what is known of a change by its price."""
        costs = cost(self.before, isolated(ending(attrs.evolve(self.scenario, design=design))), self.mapping.function)
        return candidate.size + costs.doublings, attrs.evolve(
            fix,
            drain=costs.drain,
            certain=_excludes(design, self.mapping, self.oracle),
            latency=costs.latency,
            concurrency=costs.concurrency,
            changes=changes(self.scenario.design, design),
        )


def fixes(
    scenario: Scenario,
    mapping: EventSourceMapping,
    oracle: Oracle,
    given: Mapping[str, Behaviour],
    trials: int,
    *,
    edges: Mapping[str, Sequence[Value]] | None = None,
) -> tuple[Fix, ...]:
    """Return the changes with which no trial violates the invariant, those that cost least first.

    `edges`: for settings by their path, the values from which on the counterexample itself keeps the invariant. Of each
    setting the smallest change that does. What counts is how often something doubles: the setting itself, the
    time to drain, the latency, the concurrency. What breaks another promise comes last. Where nothing prevents it, as
    with a limit that some fault always breaks, what comes nearest: `violated` and `of` count the trials that had it.
    """
    tests = list(trial_scenarios(scenario, mapping, given, trials))
    proof = _Proof(scenario, mapping, oracle, Trials(oracle, tests), isolated(ending(scenario)))
    known = [list(ladder) for ladder in ladders(scenario.design, mapping, edges)]
    proven = [found for ladder in known if (found := _first(proof, iter(ladder))) is not None]
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
    found = (proof.help(ladder[-1]) for ladder in near)
    return list(islice((fix for fix in found if fix is not None), _HELPFUL))


def _nearest(proof: _Proof, known: list[list[Candidate]]) -> list[list[Candidate]]:
    """Return the ladders whose largest change leaves the fewest violations, the best first; none that leaves all."""
    ranked: list[tuple[int, list[Candidate]]] = []
    for ladder in known:
        designs = (redesigned(proof.scenario.design, candidate) for candidate in reversed(ladder))
        largest = next((design for design in designs if design is not None), None)
        missed = None if largest is None else proof.trials.misses(largest)
        if missed is not None:
            ranked.append((missed, ladder))
    return [ladder for _, ladder in sorted(ranked, key=lambda entry: entry[0])][:_NEAREST]


def _excludes(design: Design, mapping: EventSourceMapping, oracle: Oracle) -> bool:
    """Tell whether the rules themselves exclude the violation: mappings that fit are never throttled (MC-1, MC-3)."""
    throttling = oracle.invariant.name == NO_DEAD_LETTERING_BY_THROTTLING.name
    return throttling and design.maximum_concurrency_fits(mapping.function)

"""What prevents a counterexample: changes of the design that survive every trial, those that cost least first.

The trials are the same for all changes: the counterexample with other luck, the calm worlds of the lattice with many
messages, and scenarios drawn as the search draws them. Single settings come first; only where none of them survives,
pairs of those that came nearest are tried.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations, islice

import attrs

from chaosqs.explorer.candidates import Candidate, both, changes, ladders, redesigned
from chaosqs.explorer.cost import cost
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
        """Return a change with what it costs, or None where it is no fix.

        On the counterexample itself it must cost nothing else: see `Answer.cures`.
        """
        design = redesigned(self.scenario.design, candidate)
        if design is None:
            return None
        after = self.oracle.redesigned(self.scenario, design)
        if after is None or not after.cures(self.oracle.answer(ending(self.scenario))):
            return None
        broken = self.trials.broken(design)
        if broken is None:
            return None
        costs = cost(self.before, isolated(ending(attrs.evolve(self.scenario, design=design))), self.mapping.function)
        return candidate.size + costs.doublings, Fix(
            candidate.text,
            0,
            len(self.trials.tests),
            costs.drain,
            certain=_excludes(design, self.mapping, self.oracle),
            latency=costs.latency,
            concurrency=costs.concurrency,
            breaks=broken,
            changes=changes(self.scenario.design, design),
        )


def fixes(
    scenario: Scenario, mapping: EventSourceMapping, oracle: Oracle, given: Mapping[str, Behaviour], trials: int
) -> tuple[Fix, ...]:
    """Return the changes with which no trial violates the invariant, those that cost least first.

    Of each setting the smallest change that does. What counts is how often something doubles: the setting itself, the
    time to drain, the latency, the concurrency. What breaks another promise comes last.
    """
    tests = list(trial_scenarios(scenario, mapping, given, trials))
    proof = _Proof(scenario, mapping, oracle, Trials(oracle, tests), isolated(ending(scenario)))
    known = [list(ladder) for ladder in ladders(scenario.design, mapping)]
    proven = [found for ladder in known if (found := _first(proof, iter(ladder))) is not None]
    proven = proven or _pairs(proof, known, oracle.simulations + _SHARE * trials)
    return tuple(fix for _, fix in sorted(proven, key=lambda entry: (bool(entry[1].breaks), entry[0])))


def _first(proof: _Proof, candidates: Iterator[Candidate]) -> tuple[float, Fix] | None:
    return next((found for candidate in candidates if (found := proof.fix(candidate)) is not None), None)


def _pairs(proof: _Proof, known: list[list[Candidate]], limit: int) -> list[tuple[float, Fix]]:
    """Return the first fixes among pairs of the settings that come nearest; none begins after so many simulations."""

    def affordable(candidates: list[Candidate]) -> Iterator[Candidate]:
        for candidate in candidates:
            if proof.oracle.simulations >= limit:
                return
            yield candidate

    found = (_first(proof, affordable(both(*pair))) for pair in combinations(_nearest(proof, known), 2))
    return list(islice((fix for fix in found if fix is not None), _PAIRS))


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

"""Tests the claims of reports again, with seeds and cases that they were not made from.

    python -m tools.recheck reports/*/scenario.json             a table, and exit status 1 if a claim does not hold
    python -m tools.recheck --seeds 1000 --cases 1000 FILE ...   with more of both

A claim that a value is safe is false if fresh seeds with larger loads, or a fresh search, violate the invariant at all.
A fix, and a value with fewer trials than the word safe needs, may do so as often as the bound that was printed. A claim
that a setting is not involved is false if one of the tried values has no violation. Safe values are tested under other
assumption sets that fit AWS's measurements, too. A verdict that is called robust is false if one of them has no
violation. Claims of real code are tested if its handlers can be imported.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import attrs

from chaosqs.explain.settings import with_changes
from chaosqs.explain.trials import Trials
from chaosqs.invariants import by_name
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.design import Design
from chaosqs.model.explanation import Change, Ensemble, Evidence, Setting, Value
from chaosqs.model.json import from_json
from chaosqs.model.scenario import Scenario
from chaosqs.project.settings import ensemble
from chaosqs.report.explanation import changes_text, part
from chaosqs.search.corpus import ScenarioGrid
from chaosqs.search.drawing import draws
from chaosqs.search.messages import shown_by
from chaosqs.search.oracle import Oracle
from chaosqs.search.simplicity import ending
from chaosqs.strategies import scenarios

FRESH = 1_000_000
"""The first seed: claims are made from seeds below it."""


@attrs.frozen
class Outcome:
    """A claim, and what the fresh trials say."""

    claim: str
    evidence: Evidence
    """Violations in fresh seeds and cases."""
    holds: bool


@attrs.frozen
class _Fresh:
    """Trials with seeds and cases of which no claim was made."""

    found: Counterexample
    trials: Trials
    cases: int

    def outcomes(self) -> Iterator[Outcome]:
        """Yield each claim with its outcome."""
        explanation = self.found.explanation
        for setting in explanation.settings:
            name = f"{setting.path.attribute} {setting.value}"
            for threshold in setting.thresholds:
                claim = f"{name} {part(setting)}"
                bound = 0.0 if threshold.safe else threshold.evidence.bound
                yield self._safe(claim, self._with(setting, threshold.value), bound)
            for value in setting.same_at:
                yield self._involved_in_nothing(f"{name} not involved at {value}", self._with(setting, value))
        for fix in explanation.fixes:
            if fix.prevents and fix.conclusive:
                design = with_changes(self.found.scenario.design, fix.changes)
                yield self._safe(f"prevented by {changes_text(fix, self.found.mapping)}", design, fix.evidence.bound)
        if explanation.ensemble is not None and explanation.ensemble.verdict == "robust":
            yield self._robust(explanation.ensemble)

    def _with(self, setting: Setting, value: Value) -> Design | None:
        return with_changes(self.found.scenario.design, [Change(setting.path, setting.value, value)])

    def _safe(self, claim: str, design: Design | None, bound: float) -> Outcome:
        """Test a change that prevents the violation: its rate may not be above a bound."""
        if design is None:
            return Outcome(f"{claim}: the design cannot be made", Evidence(0, 0, "larger_loads"), holds=False)
        population = (*self.trials.population, *self.trials.elsewhere)
        tests = [attrs.evolve(test, seed=FRESH + test.seed) for test in population]
        results = [self.trials.oracle.redesigned(test, design) for test in tests]
        grid = self.trials.grid
        fresh = scenarios(
            design, queue=grid.queue, behaviours=grid.given, messages=grid.most_drawn, sources=grid.sources
        )
        results += [self.trials.oracle.variation(case) for case in draws(fresh, self.cases, FRESH)]
        known = [result for result in results if result is not None]
        evidence = Evidence(sum(result.violated for result in known), len(known), "larger_loads")
        return Outcome(claim, evidence, holds=bool(known) and evidence.interval()[0] <= bound)

    def _robust(self, found: Ensemble) -> Outcome:
        """Test that each assumption set produces the violation: by the counterexample, or else by its larger loads."""
        own = self.trials.scenario
        tests = [*(attrs.evolve(own, seed=seed) for seed in range(_FEW)), *self.trials.population]
        violated = [any(self._violated(test, assumed) for test in tests) for assumed in self.trials.others]
        evidence = Evidence(sum(violated), len(violated), "larger_loads")
        return Outcome(f"robust in {found.sets} assumption sets", evidence, holds=all(violated))

    def _violated(self, test: Scenario, assumed: Assumptions) -> bool:
        fresh = ending(attrs.evolve(test, seed=FRESH + test.seed, assumptions=assumed))
        result = self.trials.oracle.variation(fresh)
        return result is not None and result.violated

    def _involved_in_nothing(self, claim: str, design: Design | None) -> Outcome:
        """Test a value of a setting that is not involved: the violation stays."""
        tests = [attrs.evolve(test, seed=FRESH + test.seed) for test in self.trials.population[:_FEW]]
        results = [] if design is None else [self.trials.oracle.redesigned(test, design) for test in tests]
        violated = sum(result is not None and result.violated for result in results)
        return Outcome(claim, Evidence(violated, len(results), "larger_loads"), holds=violated > 0)


_FEW = 60


def recheck(found: Counterexample, seeds: int, cases: int) -> list[Outcome]:
    """Test each claim of a counterexample's explanation with a number of fresh seeds and cases."""
    scenario = found.scenario
    mapping = next(each for each in scenario.design.mappings if each.name == found.mapping)
    real = {name: each for name, each in scenario.behaviours.items() if each.handler is not None}
    grid = ScenarioGrid(scenario.design, mapping.queue, real, sources=shown_by(scenario))
    others = tuple(assumed for assumed in ensemble() if assumed != scenario.assumptions)
    trials = Trials(Oracle(by_name(found.invariant), mapping.queue), scenario, grid, seeds, cases, others)
    return list(_Fresh(found, trials, cases).outcomes())


def main(arguments: list[str] | None = None) -> int:
    """Print a table of all claims of some files. Return 1 if a claim does not hold, else 0."""
    parser = argparse.ArgumentParser(prog="python -m tools.recheck", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--cases", type=int, default=400)
    given = parser.parse_args(arguments)
    false = 0
    for file in given.files:
        print(file.parent.name or file)
        for outcome in recheck(from_json(Counterexample, file.read_text(encoding="utf-8")), given.seeds, given.cases):
            seen = f"{outcome.evidence.violations:,} of {outcome.evidence.trials:,}"
            print(f"  {'holds' if outcome.holds else 'FALSE':6}{seen:>14}  {outcome.claim}")
            false += not outcome.holds
    print(f"{false} claims do not hold")
    return 1 if false else 0


if __name__ == "__main__":
    sys.exit(main())

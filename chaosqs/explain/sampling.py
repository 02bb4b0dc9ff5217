"""The seed sample: a counterexample with several seeds, on which changes of its design are tested.

With the calm seed 0, everything happens in step, so a value may help by accident. So if the violation also happens by
chance, a value must help with other seeds, too. If it does not, the sample is the counterexample alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from math import ceil
from operator import add

import attrs

from chaosqs.errors import InvalidInput
from chaosqs.explain.settings import DesignSetting
from chaosqs.model.explanation import Evidence, Population, Value
from chaosqs.model.scenario import Scenario
from chaosqs.search.oracle import Oracle, RunResult
from chaosqs.search.simplicity import ending

_MIN_VIOLATING_SHARE = 0.05  # minimum share of seeds with the violation at which it counts as happening by chance
MIN_EXPECTED_VIOLATIONS = 3  # expected violations at which observing none is significant at 95 % (e⁻³ ≈ 0.05)
STRICT_EXPECTED_VIOLATIONS = 9  # same, corrected for trying several values (e⁻⁹ ≈ 1 in 8,000)
MIN_DRAWS = 60  # minimum draws for the strict test
_FIRST_SCENARIOS = 4  # scenarios that are enough to reject most values


@attrs.frozen
class SeedSample:
    """The scenarios: the counterexample first, then those that violate the invariant by chance."""

    oracle: Oracle
    scenarios: tuple[Scenario, ...]
    others: tuple[Scenario, ...] = ()
    """Further draws, violating or not, for the strict test of a value that holds in `scenarios`."""
    population: Population = "counterexample"

    @property
    def evidence(self) -> Evidence:
        """Evidence for a value that `surely` holds."""
        return Evidence(0, len(self.scenarios) + len(self.others), self.population)

    @property
    def by_chance(self) -> SeedSample | None:
        """The sample without the counterexample itself; None if the violation does not happen by chance."""
        if not self.others:
            return None
        return attrs.evolve(self, scenarios=self.scenarios[1:], population="other_seeds")

    def seems(self, setting: DesignSetting, value: Value) -> bool | None:
        """Return the same as `holds`, but from the first few scenarios only."""
        return self._cured(setting, value, self.scenarios[:_FIRST_SCENARIOS])

    def holds(self, setting: DesignSetting, value: Value) -> bool | None:
        """Return True if the invariant holds with another value and nothing else becomes worse.

        None: the value cannot be simulated, or no message is served that was served before.
        """
        return self._cured(setting, value, self.scenarios)

    def surely(self, setting: DesignSetting, value: Value) -> bool:
        """Return True if the invariant also holds in the further draws, and not only because messages come later."""
        if not self._cured(setting, value, (*self.scenarios, *self.others)):
            return False
        return not (setting.postpones and self._cured_by_time(setting, value))

    def _cured(self, setting: DesignSetting, value: Value, variants: Sequence[Scenario]) -> bool | None:
        before = [self.oracle.result(variant) for variant in variants]
        after: list[RunResult] = []
        for variant, was in zip(variants, before, strict=True):
            try:
                answer = self.oracle.redesigned(variant, setting.write(variant.design, value))
            except InvalidInput:
                return None
            if answer is None or (was.served and not answer.served):
                return None
            if answer.violated:
                return False
            after.append(answer)
        return reduce(add, after).cures(reduce(add, before), by_chance=len(before) > 1)

    def _cured_by_time(self, setting: DesignSetting, value: Value) -> bool:
        """Return True if the invariant holds with the current value when all messages come later by the difference."""
        later = (value or 0) - (setting.read(self.scenarios[0].design) or 0)
        return not any(self.oracle.violated(_postponed(variant, later)) for variant in self.scenarios)


def _postponed(scenario: Scenario, seconds: int) -> Scenario:
    """Return a scenario whose messages are all sent later, or, if `seconds` is negative, earlier, from 0 on."""
    loads = [attrs.evolve(load, at=max(0, load.at + seconds)) for load in scenario.workload]
    return ending(attrs.evolve(scenario, workload=tuple(loads)))


def sample_of(scenario: Scenario, oracle: Oracle, draws: int) -> tuple[SeedSample, Evidence]:
    """Return the seed sample of a counterexample, and the violation's rate over the seeds from 0 to `draws` - 1."""
    variants = [attrs.evolve(ending(scenario), seed=seed) for seed in range(draws)]
    violating = [variant for variant in variants if oracle.violated(variant)]
    rate = Evidence(len(violating), draws, "seeds")
    by_chance = [variant for variant in violating if variant.seed]
    if len(by_chance) < _MIN_VIOLATING_SHARE * draws:
        return SeedSample(oracle, (ending(scenario),)), rate
    rest = [variant for variant in variants if variant.seed and not oracle.violated(variant)]
    ordered = (*by_chance, *rest)
    size, strict_size = (
        ceil(expected * draws / len(by_chance)) for expected in (MIN_EXPECTED_VIOLATIONS, STRICT_EXPECTED_VIOLATIONS)
    )
    others = ordered[size : max(strict_size, MIN_DRAWS)]
    return SeedSample(oracle, (ending(scenario), *ordered[:size]), others, "seeds"), rate

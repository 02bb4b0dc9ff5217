"""The seeds of one counterexample before which a change of its design must prove itself.

In the calm world everything is in step, so a value may help there by accident. Where the violation also happens by
chance, a value must therefore help under chance, too; where it does not, in the counterexample alone.
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
from chaosqs.search.oracle import Answer, Oracle
from chaosqs.search.simplicity import ending

_LEAST_SHARE = 0.05
_ENOUGH = 3
"""With so many violations to be expected, none at all is no accident (95 %)."""
_SURE, _LEAST = 9, 60
"""With so many, it is none (1 in 8,000), even where several values were tried; but of so many draws at the least."""
_FEW = 4
"""Scenarios that are enough to see that a value does not help."""


@attrs.frozen
class SeedSample:
    """The scenarios: the counterexample first, then those that violate the invariant by chance."""

    oracle: Oracle
    scenarios: tuple[Scenario, ...]
    others: tuple[Scenario, ...] = ()
    """Further draws: what holds in `scenarios` must hold in them, too, to be sure."""

    population: Population = "counterexample"

    @property
    def evidence(self) -> Evidence:
        """Evidence for a value that `surely` holds."""
        return Evidence(0, len(self.scenarios) + len(self.others), self.population)

    @property
    def by_chance(self) -> SeedSample | None:
        """The same without the counterexample itself; None where chance does not violate the invariant."""
        if not self.others:
            return None
        return attrs.evolve(self, scenarios=self.scenarios[1:], population="other_seeds")

    def seems(self, setting: DesignSetting, value: Value) -> bool | None:
        """Tell what `holds` may say, from the first few scenarios."""
        return self._cured(setting, value, self.scenarios[:_FEW])

    def holds(self, setting: DesignSetting, value: Value) -> bool | None:
        """Tell whether the invariant holds with another value, and at no other price.

        None: it cannot be simulated, or switches off what was served before.
        """
        return self._cured(setting, value, self.scenarios)

    def surely(self, setting: DesignSetting, value: Value) -> bool:
        """Tell whether it holds in the further draws as well, and not just because messages come at another time."""
        if not self._cured(setting, value, (*self.scenarios, *self.others)):
            return False
        return not (setting.postpones and self._cured_by_time(setting, value))

    def _cured(self, setting: DesignSetting, value: Value, variants: Sequence[Scenario]) -> bool | None:
        before = [self.oracle.answer(variant) for variant in variants]
        after: list[Answer] = []
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
        """Tell whether it would hold with the value of now as well, if only everything were sent so much later."""
        later = (value or 0) - (setting.read(self.scenarios[0].design) or 0)
        return not any(self.oracle.violated(_postponed(variant, later)) for variant in self.scenarios)


def _postponed(scenario: Scenario, seconds: int) -> Scenario:
    """Return a scenario whose messages are all sent later; nothing is sent before the start."""
    loads = [attrs.evolve(load, at=max(0, load.at + seconds)) for load in scenario.workload]
    return ending(attrs.evolve(scenario, workload=tuple(loads)))


def sample_of(scenario: Scenario, oracle: Oracle, draws: int) -> tuple[SeedSample, Evidence]:
    """Return the seed sample of a counterexample, and its rate over seed 0, 1, 2 … (so many draws)."""
    variants = [attrs.evolve(ending(scenario), seed=seed) for seed in range(draws)]
    violating = [variant for variant in variants if oracle.violated(variant)]
    rate = Evidence(len(violating), draws, "seeds")
    by_chance = [variant for variant in violating if variant.seed]
    if len(by_chance) < _LEAST_SHARE * draws:
        return SeedSample(oracle, (ending(scenario),)), rate
    rest = [variant for variant in variants if variant.seed and not oracle.violated(variant)]
    ordered = (*by_chance, *rest)
    size, most = (ceil(times * draws / len(by_chance)) for times in (_ENOUGH, _SURE))
    sample = SeedSample(oracle, (ending(scenario), *ordered[:size]), ordered[size : max(most, _LEAST)], "seeds")
    return sample, rate

"""Explains a counterexample: the settings and faults that matter, and the values at which the invariant holds.

Each setting is changed alone, on the minimal scenario, to candidate values that AWS accepts, and each value is tested
on the seed sample. A value counts as holding only if nothing else becomes worse: see `RunResult.cures`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import groupby, pairwise
from math import ceil
from typing import Protocol, TypeAlias, TypeVar, get_args

import attrs

from chaosqs.explain.fixes import fixes
from chaosqs.explain.point_of_no_return import point_of_no_return
from chaosqs.explain.sampling import SeedSample, sample_of
from chaosqs.explain.settings import DesignSetting, design_settings, rank
from chaosqs.invariants import OURS, Invariant
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.explanation import (
    AssumptionVerdict,
    Evidence,
    Explanation,
    Fix,
    LoadSensitivity,
    Origin,
    Part,
    Setting,
    SettingPath,
    Side,
    Threshold,
    Value,
    VerdictWord,
)
from chaosqs.model.faults import OK, FaultPlan
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.search.corpus import ScenarioGrid
from chaosqs.search.messages import shown_by
from chaosqs.search.meter import Meter, Progress
from chaosqs.search.oracle import Oracle, OutOfBudget
from chaosqs.search.profiles import CI, Profile, for_behaviours
from chaosqs.search.simplicity import ending
from chaosqs.strategies.grid import exact
from chaosqs.strategies.messages import MessageSource

# The effect of the batch size under a large load ---------------------------------------------------------------------
#
# The shrinker removes messages until batches have one or two. Then any batch size may be equally good. Under a large
# load it may still matter, because a batch occupies an execution for as long as all of its messages take.

_LARGE_LOAD = 100  # messages that arrive at once
_PROBE_DRAWS = 5
"""Seeds that are tried first; if batch size 1 violates the invariant as often, there is no effect to measure."""
_DRAWS = 60  # seeds from which the rates are measured


def load_sensitivity(
    scenario: Scenario, mapping: EventSourceMapping, oracle: Oracle, grid: ScenarioGrid
) -> LoadSensitivity | None:
    """Return the effect of batch size 1 when many messages arrive at once; None if it is not significantly better.

    The faults are the scenario's. A full batch takes one second less than the function's timeout, unless the function's
    behaviour is fixed. None, too, if the scenarios of the grid have fewer messages.
    """
    function = scenario.design.function(mapping.function)
    slow = Behaviour(seconds_per_message=exact((function.timeout - 1) / mapping.batch_size))
    if mapping.batch_size == 1 or not grid.counts((_LARGE_LOAD,)):
        return None
    grid = attrs.evolve(grid, given={function.name: slow, **grid.given})
    variant = attrs.evolve(grid.sudden_variants(_LARGE_LOAD)[0], faults=scenario.faults)
    alone = attrs.evolve(variant, design=_without_batches(variant.design, mapping))
    few = _rate(variant, oracle, _PROBE_DRAWS).violations
    if not few or few <= _rate(alone, oracle, _PROBE_DRAWS).violations:
        return None
    now, single = _rate(variant, oracle, _DRAWS), _rate(alone, oracle, _DRAWS)
    if single.interval()[1] >= now.interval()[0]:
        return None
    return LoadSensitivity(_LARGE_LOAD, now, 1, single)


def _rate(variant: Scenario, oracle: Oracle, draws: int) -> Evidence:
    variants = [ending(attrs.evolve(variant, seed=seed)) for seed in range(draws)]
    return Evidence(sum(oracle.violated(drawn) for drawn in variants), draws, "load")


def _without_batches(design: Design, mapping: EventSourceMapping) -> Design:
    others = [attrs.evolve(each, batch_size=1) if each == mapping else each for each in design.mappings]
    return attrs.evolve(design, mappings=tuple(others))


# Assumptions about AWS that decide the verdict: each is tried alone, at the ends of its range ------------------------


def hanging(sample: SeedSample) -> tuple[AssumptionVerdict, ...]:
    """Return the verdicts at both ends of each assumption that decides: the invariant holds at one of its ends."""
    found: list[AssumptionVerdict] = []
    for field in attrs.fields(Assumptions):
        now = getattr(sample.scenarios[0].assumptions, field.name)
        ends = [end for end in (field.metadata["low"], field.metadata["high"]) if end != now]
        judged = [AssumptionVerdict(field.name, end, _verdict(sample, field.name, end)) for end in ends]
        if any(each.verdict == "holds" for each in judged):
            found += judged
    return tuple(found)


def _verdict(sample: SeedSample, name: str, value: int) -> VerdictWord:
    """Return the verdict on the seed sample's scenarios with another value of one assumption."""

    def changed(variant: Scenario) -> Scenario:
        return attrs.evolve(variant, assumptions=attrs.evolve(variant.assumptions, **{name: value}))

    for answer in map(sample.oracle.variation, map(changed, sample.scenarios)):
        if answer is None:
            return "inconclusive"
        if answer.violated:
            return "violated"
    return "holds"


# The ranges of values of a setting at which an invariant holds -------------------------------------------------------
#
# Neighbouring candidate values that hold are a run. A run counts if it reaches an end of the scale or has two or more
# values: a single value with failing neighbours on both sides holds only by an accident of timing.

_MAX_STEPS = 4  # maximum distance that is searched value by value; larger ones are halved
_Probe: TypeAlias = Callable[[Value], bool | None]


def thresholds(
    value: Value, seeming: Mapping[Value, bool], holds: _Probe, surely: _Probe, evidence: Evidence
) -> tuple[Threshold, ...]:
    """Return the ranges at which an invariant holds that is violated at `value`: first those above it, then below.

    `seeming`: True for each tried value that seems to hold. `holds` tests values between two tried ones. `surely` tests
    the ends of ranges more strictly; `evidence` is its evidence.
    """
    if isinstance(value, bool):
        other = not value
        found = Threshold("at_least" if other else "at_most", other, evidence)
        return (found,) if seeming[other] and surely(other) else ()
    tried = sorted(seeming, key=rank)
    above = [other for other in tried if rank(other) > rank(value)]
    below = [other for other in reversed(tried) if rank(other) < rank(value)]
    scale = _Scale(seeming, holds, surely, evidence)
    return (*scale.found(value, above, "at_least"), *scale.found(value, below, "at_most"))


@attrs.frozen
class _Scale:
    """The tried values of a setting, and functions that test others."""

    seeming: Mapping[Value, bool]
    holds: _Probe
    surely: _Probe
    evidence: Evidence

    def found(self, value: Value, outwards: Sequence[Value], side: Side) -> Iterator[Threshold]:
        """Yield the runs on one side of the current value, the outermost last."""
        index, fails = 0, value
        for good, group in groupby(outwards, key=self.seeming.__getitem__):
            run = list(group)
            index += len(run)
            if good and len(run) == len(outwards) and value is None:
                yield from self._all(run)
            elif good and index == len(outwards):
                yield from self._open(run, fails, side)
            elif good and len(run) > 1:
                yield from self._closed(run, fails, outwards[index], side)
            fails = run[-1]

    def _all(self, run: Sequence[Value]) -> Iterator[Threshold]:
        """Yield the range of all values, for a setting that has no limit now."""
        if self.surely(run[0]) and self.surely(run[-1]):
            yield Threshold("any", run[0], self.evidence)

    def _open(self, run: Sequence[Value], fails: Value, side: Side) -> Iterator[Threshold]:
        """Yield a run that reaches the end of the scale."""
        for edge in self._edge(run, fails):
            yield Threshold(side, edge, self.evidence)

    def _closed(self, run: Sequence[Value], before: Value, after: Value, side: Side) -> Iterator[Threshold]:
        """Yield a run between two failing values, if the values between its own hold, too."""
        whole = all(self.holds((one + other) // 2) for one, other in pairwise(run) if one and other)
        if not whole:
            return
        for near in self._edge(run, before):
            for far in self._edge(run[::-1], after):
                if near == far:
                    return
                yield Threshold(side, near, self.evidence, far)

    def _edge(self, run: Sequence[Value], fails: Value) -> Iterator[Value]:
        """Yield the value nearest to `fails` that surely holds; nothing if no value of the run does."""
        nearest = _nearest(fails, run[0], self.holds)
        if self.surely(nearest):
            yield nearest
            return
        fails = nearest
        for good in run:
            if self.surely(good):
                yield _nearest(fails, good, self.surely)
                return
            fails = good


def _nearest(fails: Value, good: Value, holds: _Probe) -> Value:
    """Return the value nearest to `fails` that holds, searched from `good`: by halving, when near in single steps."""
    if fails is None or good is None:
        return good
    step = 1 if good > fails else -1
    while abs(good - fails) > 1:
        middle = good - step if abs(good - fails) <= _MAX_STEPS else (good + fails) // 2
        if holds(middle):
            good = middle
        elif abs(good - fails) <= _MAX_STEPS:
            break
        else:
            fails = middle
    return good


# The explanation -----------------------------------------------------------------------------------------------------

_Found = TypeVar("_Found")


def explain(
    history: History,
    mapping: EventSourceMapping,
    invariant: Invariant,
    *,
    behaviours: Mapping[str, Behaviour] | None = None,
    profile: Profile = CI,
    origins: Mapping[str, Origin] | None = None,
    messages: Mapping[str, MessageSource] | None = None,
    meter: Meter | None = None,
) -> Explanation:
    """Explain the history of a scenario, in which an invariant is violated on a mapping.

    `behaviours`: the user's fixed behaviours, with which a fix must work. `origins`: sources of settings, by path:
    `functions[0].reserved_concurrency`. `messages`: sources of the messages of queues, by queue name; those of
    the scenario stand in for others. A violation of an invariant in `OURS` is a bug of chaosqs and not explained.
    Parts that need more time than the `meter` has, or more runs of real code than the profile, are `unfinished`.
    """
    if invariant.name in {ours.name for ours in OURS}:
        return Explanation(own_bug=True)
    scenario, budget = history.scenario, for_behaviours(profile, history.scenario.behaviours)
    oracle = Oracle(invariant, mapping.queue, limit=budget.explain_simulations, meter=meter or Meter())
    known = {**shown_by(scenario), **(messages or {})}
    grid = ScenarioGrid(scenario.design, mapping.queue, dict(behaviours or {}), sources=known, most=budget.messages)
    parts = _Parts(oracle, budget.explain_simulations)
    sampled = parts.find("rate", lambda: sample_of(scenario, oracle, budget.draws))
    if sampled is None:
        return Explanation(unfinished=get_args(Part), cut_by=oracle.meter.cut_by)
    sample, rate = sampled
    faults = parts.find("faults", lambda: _needed_faults(scenario, oracle)) or ()
    find_settings = partial(_settings, scenario, mapping, sample, grid, origins or {})
    find_fixes = partial(fixes, scenario, mapping, oracle, grid, budget.trials)
    settings, changes = parts.settings_and_fixes(find_settings, find_fixes)
    return attrs.evolve(
        Explanation(settings=settings, faults=faults, rate=rate, fixes=changes),
        assumptions=parts.find("assumptions", lambda: hanging(sample)),
        point_of_no_return=parts.find("point_of_no_return", lambda: point_of_no_return(history, oracle, rate)),
        unfinished=tuple(parts.unfinished),
        cut_by=oracle.meter.cut_by,
    )


_SHARES: Mapping[Part, float] = {"fixes": 0.5, "settings": 0.8, "assumptions": 0.5}
"""Share of the simulations left that a part may use if they are limited; other parts: all."""


class _FindFixes(Protocol):
    def __call__(self, *, edges: Mapping[SettingPath, Sequence[Value]] | None) -> tuple[Fix, ...]: ...


@attrs.define
class _Parts:
    """Finds the parts of an explanation one after the other, within a budget of simulations."""

    oracle: Oracle
    limit: int | None
    """Maximum simulations of all parts together; None: no limit."""
    unfinished: list[Part] = attrs.field(factory=list[Part])

    def settings_and_fixes(
        self, find_settings: Callable[[], tuple[Setting, ...]], find_fixes: _FindFixes
    ) -> tuple[tuple[Setting, ...], tuple[Fix, ...]]:
        """Return the settings that matter, and the fixes: their values come from the thresholds of the settings.

        If simulations are limited, the fixes come first, as thresholds take more of them.
        """
        if self.limit is not None:
            found = self.find("fixes", partial(find_fixes, edges=None)) or ()
            return self.find("settings", find_settings) or (), found
        settings = self.find("settings", find_settings) or ()
        edges = {each.path: each.edges for each in settings}
        return settings, self.find("fixes", partial(find_fixes, edges=edges)) or ()

    def find(self, part: Part, find: Callable[[], _Found]) -> _Found | None:
        """Return a part, or None if its share of the budget or the time does not suffice."""
        self.oracle.meter.say(Progress("explaining", about=self.oracle.invariant.name, part=part))
        if self.limit is not None:
            left = self.limit - self.oracle.simulations
            self.oracle.limit = self.oracle.simulations + ceil(left * _SHARES.get(part, 1))
        try:
            return find()
        except OutOfBudget:
            return None
        finally:
            if self.oracle.spent:
                self.unfinished.append(part)


def _settings(
    scenario: Scenario,
    mapping: EventSourceMapping,
    sample: SeedSample,
    grid: ScenarioGrid,
    origins: Mapping[str, Origin],
) -> tuple[Setting, ...]:
    """Return the settings with their thresholds; those that come first if the oracle runs out of budget."""
    found: list[Setting] = []
    with suppress(OutOfBudget):
        for each in design_settings(scenario.design, mapping):
            setting = _setting(scenario, each, sample, origins)
            if setting is None:
                continue
            if setting.path.attribute == "batch_size" and not setting.matters:
                setting = attrs.evolve(setting, load=load_sensitivity(scenario, mapping, sample.oracle, grid))
            found.append(setting)
    return tuple(found)


def _setting(
    scenario: Scenario, design_setting: DesignSetting, sample: SeedSample, origins: Mapping[str, Origin]
) -> Setting | None:
    """Try all candidate values of one setting; None if no other value can be simulated, or a quiet one has no effect.

    If no value helps with the counterexample's own seed, values are tried with the other seeds that violate.
    """
    found, by_chance = _thresholds(scenario, design_setting, sample), sample.by_chance
    if not found and by_chance is not None:
        found = _thresholds(scenario, design_setting, by_chance)
    if found is None or (design_setting.quiet and not found):
        return None
    return Setting(
        design_setting.setting, design_setting.read(scenario.design), found, origins.get(design_setting.path)
    )


def _thresholds(scenario: Scenario, design_setting: DesignSetting, sample: SeedSample) -> tuple[Threshold, ...] | None:
    """Return the ranges at which the invariant holds on a seed sample; None if no other value can be simulated."""
    value = design_setting.read(scenario.design)
    seeming = {
        other: answer
        for other in design_setting.candidates
        if other != value and (answer := sample.seems(design_setting, other)) is not None
    }
    if not seeming:
        return None
    return thresholds(
        value, seeming, partial(sample.holds, design_setting), partial(sample.surely, design_setting), sample.evidence
    )


def _needed_faults(scenario: Scenario, oracle: Oracle) -> tuple[FaultPlan, ...]:
    """Return the faults without which the violation does not happen, each removed alone."""
    return tuple(alone for alone, rest in without_one(scenario.faults) if _holds_with(scenario, rest, oracle))


def _holds_with(scenario: Scenario, plan: FaultPlan, oracle: Oracle) -> bool:
    return not oracle.violated(ending(attrs.evolve(scenario, faults=plan)))


def without_one(plan: FaultPlan) -> Iterator[tuple[FaultPlan, FaultPlan]]:
    """Yield, for each fault, action and pause of a plan, a plan with it alone, and the plan without it."""
    for message, receives in enumerate(plan.messages):
        for index, kind in enumerate(receives):
            if kind != OK:
                less = (*receives[:index], OK, *receives[index + 1 :])
                messages = (*plan.messages[:message], less, *plan.messages[message + 1 :])
                alone = FaultPlan(messages=[*[()] * message, (*[OK] * index, kind)])
                yield alone, attrs.evolve(plan, messages=messages)
    for message, kind in enumerate(plan.sends):
        if kind != OK:
            sends = (*plan.sends[:message], OK, *plan.sends[message + 1 :])
            yield FaultPlan(sends=[*[OK] * message, kind]), attrs.evolve(plan, sends=sends)
    for index, window in enumerate(plan.windows):
        rest = (*plan.windows[:index], *plan.windows[index + 1 :])
        yield FaultPlan(windows=[window]), attrs.evolve(plan, windows=rest)
    for index, action in enumerate(plan.actions):
        yield (
            FaultPlan(actions=[action]),
            attrs.evolve(plan, actions=(*plan.actions[:index], *plan.actions[index + 1 :])),
        )
    for index, pause in enumerate(plan.pauses):
        yield FaultPlan(pauses=[pause]), attrs.evolve(plan, pauses=(*plan.pauses[:index], *plan.pauses[index + 1 :]))

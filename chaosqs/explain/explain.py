"""Why a counterexample happens: which settings and faults matter, and from which value on the invariant holds.

Each setting is turned alone, on the minimal scenario, over a series of candidate values of the values that AWS accepts, before the seed sample of
its seeds. A value counts as holding only if it costs nothing else: see `Answer.cures`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby, pairwise
from typing import TypeAlias

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
    LoadSensitivity,
    Setting,
    Side,
    Threshold,
    Value,
    VerdictWord,
)
from chaosqs.model.faults import OK, FaultPlan
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.search.corpus import ScenarioGrid
from chaosqs.search.oracle import Oracle
from chaosqs.search.profiles import CI, Profile
from chaosqs.search.simplicity import ending
from chaosqs.strategies.grid import exact

# What the batch size does in a crowd, which the smallest story is too small to show. ---------------------------------
#
# The shrinker takes messages away until batches have one or two. There any batch size may be as good, which says
# nothing of the flood in which the same design fails, too: a batch keeps an execution for as long as its messages take
# together.

_LARGE_LOAD = 100
"""Messages that arrive at once."""
_FEW, _DRAWS = 5, 60
"""Seeds that show whether there is anything to tell, and that tell it."""


def load_sensitivity(
    scenario: Scenario, mapping: EventSourceMapping, oracle: Oracle, given: Mapping[str, Behaviour]
) -> LoadSensitivity | None:
    """Return what a batch size of 1 changes when many messages arrive at once; None where that is nothing.

    Under the faults of the scenario. A full batch takes a second less than the function's timeout, unless the
    function's behaviour is `given`.
    """
    function = scenario.design.function(mapping.function)
    patient = Behaviour(seconds_per_message=exact((function.timeout - 1) / mapping.batch_size))
    grid = ScenarioGrid(scenario.design, mapping.queue, {function.name: patient, **given})
    variant = attrs.evolve(grid.sudden_variants(_LARGE_LOAD)[0], faults=scenario.faults)
    if mapping.batch_size == 1 or not _rate(variant, oracle, _FEW).violations:
        return None
    now = _rate(variant, oracle, _DRAWS)
    single = _rate(attrs.evolve(variant, design=_without_batches(variant.design, mapping)), oracle, _DRAWS)
    if single.interval()[1] >= now.interval()[0]:
        return None
    return LoadSensitivity(_LARGE_LOAD, now, 1, single)


def _rate(variant: Scenario, oracle: Oracle, draws: int) -> Evidence:
    variants = [ending(attrs.evolve(variant, seed=seed)) for seed in range(draws)]
    return Evidence(sum(oracle.violated(drawn) for drawn in variants), draws, "load")


def _without_batches(design: Design, mapping: EventSourceMapping) -> Design:
    others = [attrs.evolve(each, batch_size=1) if each == mapping else each for each in design.mappings]
    return attrs.evolve(design, mappings=tuple(others))


# Whether a verdict hangs on what AWS does not document: each assumption at the ends of its range, one by one. --------


def hanging(sample: SeedSample) -> tuple[AssumptionVerdict, ...]:
    """Return the ends of the ranges of those assumptions that decide: at one of them the invariant would hold."""
    found: list[AssumptionVerdict] = []
    for field in attrs.fields(Assumptions):
        now = getattr(sample.scenarios[0].assumptions, field.name)
        ends = [end for end in (field.metadata["low"], field.metadata["high"]) if end != now]
        judged = [AssumptionVerdict(field.name, end, _verdict(sample, field.name, end)) for end in ends]
        if any(each.verdict == "holds" for each in judged):
            found += judged
    return tuple(found)


def _verdict(sample: SeedSample, name: str, value: int) -> VerdictWord:
    """Return the verdict on the worlds of the seed sample, with another value of one assumption."""

    def changed(variant: Scenario) -> Scenario:
        return attrs.evolve(variant, assumptions=attrs.evolve(variant.assumptions, **{name: value}))

    for answer in map(sample.oracle.variation, map(changed, sample.scenarios)):
        if answer is None:
            return "inconclusive"
        if answer.violated:
            return "violated"
    return "holds"


# The ranges of values of a setting at which an invariant holds. ------------------------------------------------------
#
# Values that hold side by side are a run. A run counts where it goes on to an end of the scale, or has two values at
# least: a single one whose neighbours fail on both sides is an accident of timing.

_SCAN = 4
_Probe: TypeAlias = Callable[[Value], bool | None]


def thresholds(
    value: Value, answers: Mapping[Value, bool], holds: _Probe, surely: _Probe, evidence: Evidence
) -> tuple[Threshold, ...]:
    """Return the ranges at which an invariant holds that is violated at `value`: first those above it, then below.

    `answers`: for each value tried, whether it seems to hold. `holds` is asked for values between two of them, `surely`
    for those at which a range begins or ends: what it rests on is the `evidence`.
    """
    if isinstance(value, bool):
        other = not value
        found = Threshold("at_least" if other else "at_most", other, evidence)
        return (found,) if answers[other] and surely(other) else ()
    tried = sorted(answers, key=rank)
    above = [other for other in tried if rank(other) > rank(value)]
    below = [other for other in reversed(tried) if rank(other) < rank(value)]
    scale = _Scale(answers, holds, surely, evidence)
    return (*scale.found(value, above, "at_least"), *scale.found(value, below, "at_most"))


@attrs.frozen
class _Scale:
    """What is known of the values of a setting."""

    answers: Mapping[Value, bool]
    holds: _Probe
    surely: _Probe
    evidence: Evidence

    def found(self, value: Value, outwards: Sequence[Value], side: Side) -> Iterator[Threshold]:
        """Yield the runs of values that hold on one side of the value of now, the outermost last."""
        index, fails = 0, value
        for good, group in groupby(outwards, key=self.answers.__getitem__):
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
        """Yield all values there are, where there was no limit before."""
        if self.surely(run[0]) and self.surely(run[-1]):
            yield Threshold("any", run[0], self.evidence)

    def _open(self, run: Sequence[Value], fails: Value, side: Side) -> Iterator[Threshold]:
        """Yield a run that goes on to the end of the scale."""
        for edge in self._edge(run, fails):
            yield Threshold(side, edge, self.evidence)

    def _closed(self, run: Sequence[Value], before: Value, after: Value, side: Side) -> Iterator[Threshold]:
        """Yield a run between two values that fail, if it has no holes."""
        whole = all(self.holds((one + other) // 2) for one, other in pairwise(run) if one and other)
        if not whole:
            return
        for near in self._edge(run, before):
            for far in self._edge(run[::-1], after):
                if near == far:
                    return
                yield Threshold(side, near, self.evidence, far)

    def _edge(self, run: Sequence[Value], fails: Value) -> Iterator[Value]:
        """Yield the value nearest to `fails` that surely holds; none where none of the run does."""
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
    """Return the value nearest to `fails` that holds as all tried beyond it do: by steps when near, else by halves."""
    if fails is None or good is None:
        return good
    step = 1 if good > fails else -1
    while abs(good - fails) > 1:
        middle = good - step if abs(good - fails) <= _SCAN else (good + fails) // 2
        if holds(middle):
            good = middle
        elif abs(good - fails) <= _SCAN:
            break
        else:
            fails = middle
    return good


# ---------------------------------------------------------------------------------------------------------------------


def explain(
    history: History,
    mapping: EventSourceMapping,
    invariant: Invariant,
    *,
    behaviours: Mapping[str, Behaviour] | None = None,
    profile: Profile = CI,
    origins: Mapping[str, str] | None = None,
) -> Explanation:
    """Explain the history of a scenario, in which an invariant is violated on a mapping.

    `behaviours` are those that the user gave: a fix must do with them. `origins`: where settings were read from, by
    path: `functions[0].reserved_concurrency`. What no design can violate is our own bug, and nothing explains it.
    """
    if invariant.name in {ours.name for ours in OURS}:
        return Explanation(own_bug=True)
    scenario, oracle = history.scenario, Oracle(invariant, mapping.queue)
    sample, rate = sample_of(scenario, oracle, profile.draws)
    turned = [
        _setting(scenario, design_setting, sample, origins or {})
        for design_setting in design_settings(scenario.design, mapping)
    ]
    settings = [each for each in turned if each is not None]
    given = dict(behaviours or {})
    for index, setting in enumerate(settings):
        if setting.path.attribute == "batch_size" and not setting.matters:
            settings[index] = attrs.evolve(setting, load=load_sensitivity(scenario, mapping, oracle, given))
    edges = {setting.path: setting.edges for setting in settings}
    return Explanation(
        settings=tuple(settings),
        faults=_needed_faults(scenario, oracle),
        rate=rate,
        fixes=fixes(scenario, mapping, oracle, given, profile.trials, edges=edges),
        assumptions=hanging(sample),
        point_of_no_return=point_of_no_return(history, oracle, rate),
    )


def _setting(
    scenario: Scenario, design_setting: DesignSetting, sample: SeedSample, origins: Mapping[str, str]
) -> Setting | None:
    """Turn one setting over its series of candidate values; None where no other value can be simulated.

    Where no value helps in the counterexample, as there everything is in step, one may still do so whenever it is not.
    """
    found, lucky = _thresholds(scenario, design_setting, sample), sample.by_chance
    if not found and lucky is not None:
        found = _thresholds(scenario, design_setting, lucky)
    if found is None or (design_setting.quiet and not found):
        return None
    return Setting(
        design_setting.setting, design_setting.read(scenario.design), found, origins.get(design_setting.path, "")
    )


def _thresholds(scenario: Scenario, design_setting: DesignSetting, sample: SeedSample) -> tuple[Threshold, ...] | None:
    """Return at which values the invariant holds before a seed sample; None where no other value can be simulated."""
    value = design_setting.read(scenario.design)
    answers = {
        other: answer
        for other in design_setting.candidates
        if other != value and (answer := sample.seems(design_setting, other)) is not None
    }
    if not answers:
        return None
    return thresholds(
        value, answers, partial(sample.holds, design_setting), partial(sample.surely, design_setting), sample.evidence
    )


def _needed_faults(scenario: Scenario, oracle: Oracle) -> tuple[FaultPlan, ...]:
    """Return the faults without which the violation does not happen: each one left out alone."""
    return tuple(alone for alone, rest in without_one(scenario.faults) if _holds_with(scenario, rest, oracle))


def _holds_with(scenario: Scenario, plan: FaultPlan, oracle: Oracle) -> bool:
    return not oracle.violated(ending(attrs.evolve(scenario, faults=plan)))


def without_one(plan: FaultPlan) -> Iterator[tuple[FaultPlan, FaultPlan]]:
    """Yield each fault, action and pause of a plan as a plan of its own, with the plan that lacks it alone."""
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

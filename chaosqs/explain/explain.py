"""Why a counterexample happens: which settings and faults matter, and from which value on the invariant holds.

Each setting is turned alone, on the minimal scenario, over a series of candidate values of the values that AWS accepts, before the seed sample of
its seeds. A value counts as holding only if it costs nothing else: see `Answer.cures`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby, pairwise
from typing import TypeAlias

import attrs

from chaosqs.explain.fixes import fixes
from chaosqs.explain.point_of_no_return import point_of_no_return
from chaosqs.explain.sampling import SeedSample, sample_of
from chaosqs.explain.settings import DesignSetting, Value, design_settings, rank
from chaosqs.invariants import OURS, Invariant
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.counterexample import Explanation, Rate, Setting
from chaosqs.model.design import Design, EventSourceMapping
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.report.text import percent
from chaosqs.search.corpus import ScenarioGrid
from chaosqs.search.oracle import Oracle
from chaosqs.search.plan_text import without_one
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
) -> str:
    """Return how much more often the invariant holds without batches, in a crowd; empty where that makes no difference.

    Under the faults of the scenario. A full batch takes a second less than the function's timeout, unless the
    function's behaviour is `given`.
    """
    function = scenario.design.function(mapping.function)
    patient = Behaviour(seconds_per_message=exact((function.timeout - 1) / mapping.batch_size))
    grid = ScenarioGrid(scenario.design, mapping.queue, {function.name: patient, **given})
    variant = attrs.evolve(grid.sudden_variants(_LARGE_LOAD)[0], faults=scenario.faults)
    if mapping.batch_size == 1 or not _rate(variant, oracle, _FEW).violated:
        return ""
    now = _rate(variant, oracle, _DRAWS)
    single = _rate(attrs.evolve(variant, design=_without_batches(variant.design, mapping)), oracle, _DRAWS)
    if single.interval()[1] >= now.interval()[0]:
        return ""
    return f"holds in {_holds(now)} of draws with {_LARGE_LOAD} messages at once, in {_holds(single)} with 1"


def _rate(variant: Scenario, oracle: Oracle, draws: int) -> Rate:
    variants = [ending(attrs.evolve(variant, seed=seed)) for seed in range(draws)]
    return Rate(sum(oracle.violated(drawn) for drawn in variants), draws)


def _without_batches(design: Design, mapping: EventSourceMapping) -> Design:
    others = [attrs.evolve(each, batch_size=1) if each == mapping else each for each in design.mappings]
    return attrs.evolve(design, mappings=tuple(others))


def _holds(rate: Rate) -> str:
    return f"{percent(1 - rate.violated / rate.of)} %"


# Whether a verdict hangs on what AWS does not document: each assumption at the ends of its range, one by one. --------


def hanging(sample: SeedSample) -> tuple[str, ...]:
    """Return, as texts, the assumptions that decide: at an end of the range the invariant would hold.

    `throttle_retry 2,000 ms (holds at 100 ms)`.
    """
    found: list[str] = []
    for field in attrs.fields(Assumptions):
        now = getattr(sample.scenarios[0].assumptions, field.name)
        unit = field.metadata["unit"]
        ends = [end for end in (field.metadata["low"], field.metadata["high"]) if end != now]
        good = [f"{end:,} {unit}" for end in ends if not _violated(sample, field.name, end)]
        if good:
            found.append(f"{field.name} {now:,} {unit} (holds at {' and '.join(good)})")
    return tuple(found)


def _violated(sample: SeedSample, name: str, value: int) -> bool:
    """Tell whether the invariant is violated in any world of the seed sample, with another value of one assumption."""

    def changed(variant: Scenario) -> Scenario:
        return attrs.evolve(variant, assumptions=attrs.evolve(variant.assumptions, **{name: value}))

    answers = [sample.oracle.variation(changed(variant)) for variant in sample.scenarios]
    return any(answer is None or answer.violated for answer in answers)


# From which value of a setting on an invariant holds, in words and as the values that the words name. ----------------
#
# Values that hold side by side are a run. A run counts where it goes on to an end of the scale, or has two values at
# least: a single one whose neighbours fail on both sides is an accident of timing.

_SCAN = 4
_Probe: TypeAlias = Callable[[Value], bool | None]


@attrs.frozen
class Threshold:
    """From where on an invariant holds that is violated at the value of now."""

    text: str = ""
    """`holds from 5`; empty where no other value helps."""
    edges: tuple[Value, ...] = ()
    """The values that the text names, the nearest first in each direction."""


def threshold(value: Value, answers: Mapping[Value, bool], holds: _Probe, surely: _Probe) -> Threshold:
    """Return from where on an invariant holds that is violated at `value`.

    `answers`: for each value tried, whether it seems to hold. `holds` is asked for values between two of them, `surely`
    for those that the text is going to name.
    """
    if isinstance(value, bool):
        other = not value
        return Threshold(f"holds with {other}", (other,)) if answers[other] and surely(other) else Threshold()
    tried = sorted(answers, key=rank)
    above = [other for other in tried if rank(other) > rank(value)]
    below = [other for other in reversed(tried) if rank(other) < rank(value)]
    scale = _Scale(answers, holds, surely)
    found = [*scale.found(value, above, "from"), *scale.found(value, below, "up to")]
    if not found:
        return Threshold()
    text = f"holds {' and '.join(each.text for each in found)}"
    return Threshold(text, tuple(edge for each in found for edge in each.edges))


@attrs.frozen
class _Scale:
    """What is known of the values of a setting."""

    answers: Mapping[Value, bool]
    holds: _Probe
    surely: _Probe

    def found(self, value: Value, outwards: Sequence[Value], words: str) -> Iterator[Threshold]:
        """Yield the runs of values that hold on one side of the value of now, the outermost last."""
        index, fails = 0, value
        for good, group in groupby(outwards, key=self.answers.__getitem__):
            run = list(group)
            index += len(run)
            if good and len(run) == len(outwards) and value is None:
                yield from self._all(run)
            elif good and index == len(outwards):
                yield from self._open(run, fails, words)
            elif good and len(run) > 1:
                yield from self._closed(run, fails, outwards[index])
            fails = run[-1]

    def _all(self, run: Sequence[Value]) -> Iterator[Threshold]:
        """Yield all values there are, where there was no limit before."""
        if self.surely(run[0]) and self.surely(run[-1]):
            yield Threshold("with any value")

    def _open(self, run: Sequence[Value], fails: Value, words: str) -> Iterator[Threshold]:
        """Yield a run that goes on to the end of the scale."""
        for edge in self._edge(run, fails):
            named = "without a limit" if edge is None else "at 0" if edge == 0 else f"{words} {edge:,}"
            yield Threshold(named, (edge,))

    def _closed(self, run: Sequence[Value], before: Value, after: Value) -> Iterator[Threshold]:
        """Yield a run between two values that fail, if it has no holes."""
        whole = all(self.holds((one + other) // 2) for one, other in pairwise(run) if one and other)
        if not whole:
            return
        for near in self._edge(run, before):
            for far in self._edge(run[::-1], after):
                if near == far:
                    return
                low, high = sorted((near, far), key=rank)
                yield Threshold(f"from {low:,} to {high:,}", (near, far))

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


@attrs.frozen
class _Found:
    """A setting, and the values at which its threshold lies."""

    setting: Setting
    design_setting: DesignSetting
    edges: tuple[Value, ...]


def explain(
    scenario: Scenario,
    mapping: EventSourceMapping,
    invariant: Invariant,
    *,
    behaviours: Mapping[str, Behaviour] | None = None,
    profile: Profile = CI,
    origins: Mapping[str, str] | None = None,
) -> Explanation:
    """Explain a scenario in which an invariant is violated on a mapping.

    `behaviours` are those that the user gave: a fix must do with them. `origins`: where settings were read from, by
    path: `functions[0].reserved_concurrency`. What no design can violate is our own bug, and nothing explains it.
    """
    if invariant.name in {ours.name for ours in OURS}:
        return Explanation(own_bug=True)
    oracle = Oracle(invariant, mapping.queue)
    known = origins or {}
    sample, rate = sample_of(scenario, oracle, profile.draws)
    turned = [
        _setting(scenario, design_setting, sample, known)
        for design_setting in design_settings(scenario.design, mapping)
    ]
    found = [each for each in turned if each is not None]
    edges = {each.design_setting.path: each.edges for each in found}
    given = dict(behaviours or {})
    settings = [each.setting for each in found]
    for index, setting in enumerate(settings):
        if (setting.owner, setting.name) == (mapping.name, "batch_size") and not setting.matters:
            settings[index] = attrs.evolve(setting, load_sensitivity=load_sensitivity(scenario, mapping, oracle, given))
    return Explanation(
        settings=tuple(settings),
        faults=_needed_faults(scenario, oracle),
        rate=rate,
        fixes=fixes(scenario, mapping, oracle, given, profile.trials, edges=edges),
        assumptions=hanging(sample),
        point_of_no_return=point_of_no_return(scenario, oracle, rate),
    )


def _setting(
    scenario: Scenario, design_setting: DesignSetting, sample: SeedSample, origins: Mapping[str, str]
) -> _Found | None:
    """Turn one setting over its series of candidate values; None where no other value can be simulated.

    Where no value helps in the counterexample, as there everything is in step, one may still do so whenever it is not.
    """
    found, lucky = _threshold(scenario, design_setting, sample), sample.by_chance
    text = "" if found is None else design_setting.counted(found.text)
    if not text and lucky is not None:
        found = _threshold(scenario, design_setting, lucky)
        text = f"{design_setting.counted(found.text)} under other seeds" if found and found.text else ""
    if found is None or (design_setting.quiet and not text):
        return None
    value = repr(design_setting.read(scenario.design))
    setting = Setting(
        design_setting.owner, design_setting.name, value, bool(text), text, origins.get(design_setting.path, "")
    )
    return _Found(setting, design_setting, found.edges)


def _threshold(scenario: Scenario, design_setting: DesignSetting, sample: SeedSample) -> Threshold | None:
    """Return from which value on the invariant holds before a seed sample; None where no other value can be simulated."""
    value = design_setting.read(scenario.design)
    answers = {
        other: answer
        for other in design_setting.candidates
        if other != value and (answer := sample.seems(design_setting, other)) is not None
    }
    if not answers:
        return None
    return threshold(value, answers, partial(sample.holds, design_setting), partial(sample.surely, design_setting))


def _needed_faults(scenario: Scenario, oracle: Oracle) -> tuple[str, ...]:
    """Return, as texts, the faults without which the violation does not happen: each one left out alone."""
    return tuple(text for text, plan in without_one(scenario.faults) if _holds_with(scenario, plan, oracle))


def _holds_with(scenario: Scenario, plan: FaultPlan, oracle: Oracle) -> bool:
    return not oracle.violated(ending(attrs.evolve(scenario, faults=plan)))

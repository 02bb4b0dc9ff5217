"""Explains a counterexample: what it needs, the settings and faults that matter, and the changes that prevent it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from math import ceil
from typing import Protocol, TypeVar, get_args

import attrs

from chaosqs.explain.fixes import fixes
from chaosqs.explain.point_of_no_return import point_of_no_return
from chaosqs.explain.settings import design_settings, with_changes
from chaosqs.explain.thresholds import premises, setting_role
from chaosqs.explain.trials import Trials
from chaosqs.invariants import OURS, Invariant
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.causal_slice import causal_slice
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
    VerdictWord,
)
from chaosqs.model.faults import OK, FaultPlan
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Verdict
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


def hanging(trials: Trials) -> tuple[AssumptionVerdict, ...]:
    """Return the verdicts at both ends of each assumption that decides: the invariant holds at one of its ends."""
    found: list[AssumptionVerdict] = []
    for field in attrs.fields(Assumptions):
        now = getattr(trials.scenario.assumptions, field.name)
        ends = [end for end in (field.metadata["low"], field.metadata["high"]) if end != now]
        judged = [AssumptionVerdict(field.name, end, _verdict(trials, field.name, end)) for end in ends]
        if any(each.verdict == "holds" for each in judged):
            found += judged
    return tuple(found)


def _verdict(trials: Trials, name: str, value: int) -> VerdictWord:
    """Return the verdict on the violating scenarios with another value of one assumption."""

    def changed(variant: Scenario) -> Scenario:
        return attrs.evolve(variant, assumptions=attrs.evolve(variant.assumptions, **{name: value}))

    for answer in map(trials.oracle.variation, map(changed, trials.violating)):
        if answer is None:
            return "inconclusive"
        if answer.violated:
            return "violated"
    return "holds"


# Violations of one cause ---------------------------------------------------------------------------------------------


@attrs.define(eq=False)
class Causes:
    """The violations of one mapping that were explained; others of the same causes are told in short."""

    explained: list[tuple[Invariant, History, Explanation]] = attrs.field(
        factory=list[tuple[Invariant, History, Explanation]]
    )

    def same(self, history: History, trials: Trials) -> Explanation | None:
        """Return the explanation of a violation with a cause that was told; None if there is none.

        Causes are the same if the events that lead to the violations are of the same kinds, sends, receives and
        invocations apart, and the first change that prevents the one violation prevents the other, too.
        """
        kinds = _kinds(history, trials.oracle.judge(history))
        for invariant, other, explanation in self.explained:
            first = next((fix for fix in explanation.fixes if fix.prevents and not fix.breaks), None)
            if first is None or not kinds & _kinds(other, trials.oracle.alone.settled(invariant, other)):
                continue
            if _also_fixed(first, trials) is not None:
                tried = [_also_fixed(fix, trials) for fix in explanation.fixes if fix.prevents and not fix.breaks]
                return Explanation(cause=invariant.name, fixes=tuple(fix for fix in tried if fix is not None))
        return None


_ORDINARY = ("Sent", "Received", "InvocationStarted", "InvocationEnded", "Deleted", "EnvironmentStarted")
"""Kinds of events that each message has."""


def _kinds(history: History, verdict: Verdict) -> set[str]:
    """Return the kinds of the events that lead to the first violation; of ordinary ones only if there are no others."""
    story = causal_slice(history, verdict.violations[0])
    kinds = {type(story.event(index)).__name__ for index in story.indexes}
    return kinds.difference(_ORDINARY) or kinds


def _also_fixed(fix: Fix, trials: Trials) -> Fix | None:
    """Return a fix of another violation with this one's evidence; None if it does not prevent this one."""
    changed = with_changes(trials.scenario.design, fix.changes)
    if changed is None or trials.rejected(changed) is not False or trials.price(changed):
        return None
    evidence = trials.rate(changed)
    if evidence.violations:
        return None
    return Fix(fix.changes, evidence, base=trials.base, conclusive=trials.excludes, patch=fix.patch)


# The explanation -----------------------------------------------------------------------------------------------------

_Found = TypeVar("_Found")


def explain(  # noqa: PLR0913 - each is a separate choice, and all but three have a default
    history: History,
    mapping: EventSourceMapping,
    invariant: Invariant,
    *,
    behaviours: Mapping[str, Behaviour] | None = None,
    profile: Profile = CI,
    origins: Mapping[str, Origin] | None = None,
    messages: Mapping[str, MessageSource] | None = None,
    meter: Meter | None = None,
    causes: Causes | None = None,
) -> Explanation:
    """Explain the history of a scenario, in which an invariant is violated on a mapping.

    `behaviours`: the user's fixed behaviours, with which a fix must work. `origins`: sources of settings, by path:
    `functions[0].reserved_concurrency`. `messages`: sources of the messages of queues, by queue name; those of
    the scenario stand in for others. A violation of an invariant in `OURS` is a bug of chaosqs and not explained.
    `causes`: the violations of the mapping that were explained before; one with the same cause is told in short.
    Parts that need more time than the `meter` has, or more runs of real code than the profile, are `unfinished`.
    """
    if invariant.name in {ours.name for ours in OURS}:
        return Explanation(own_bug=True)
    scenario, budget = history.scenario, for_behaviours(profile, history.scenario.behaviours)
    oracle = Oracle(invariant, mapping.queue, limit=budget.explain_simulations, meter=meter or Meter())
    shown = {**shown_by(scenario), **(messages or {})}
    grid = ScenarioGrid(scenario.design, mapping.queue, dict(behaviours or {}), sources=shown, most=budget.messages)
    parts, trials = _Parts(oracle, budget.explain_simulations), _trials(scenario, oracle, grid, budget)
    known = None if causes is None else parts.find("rate", partial(causes.same, history, trials))
    if known is not None:
        return known
    rate = parts.find("rate", lambda: _rate_of(scenario, oracle, budget.draws))
    if rate is None:
        return Explanation(unfinished=get_args(Part), cut_by=oracle.meter.cut_by)
    explained = _explained(history, mapping, trials, parts, Explanation(rate=rate), origins or {})
    if causes is not None:
        causes.explained.append((invariant, history, explained))
    return explained


_CASES = 2
"""Cases of a search behind a claim, for each seed of a larger load."""
_LIMITED = 4
"""Share of the trials that a claim has, as a divisor, where the simulations are limited."""


def _trials(scenario: Scenario, oracle: Oracle, grid: ScenarioGrid, budget: Profile) -> Trials:
    """Return the trials of the claims: with real code, a few."""
    if budget.explain_simulations is None:
        return Trials(oracle, scenario, grid, budget.trials, _CASES * budget.trials)
    return Trials(oracle, scenario, grid, budget.trials // _LIMITED, budget.trials // _LIMITED)


def _rate_of(scenario: Scenario, oracle: Oracle, draws: int) -> Evidence:
    """Return the violation's rate over the seeds from 0 to `draws` - 1."""
    variants = [attrs.evolve(ending(scenario), seed=seed) for seed in range(draws)]
    return Evidence(sum(oracle.violated(variant) for variant in variants), draws, "seeds")


_SHARES: Mapping[Part, float] = {"fixes": 0.5, "settings": 0.8, "assumptions": 0.5}
"""Share of the simulations left that a part may use if they are limited; other parts: all."""


class _FindFixes(Protocol):
    def __call__(self, settings: Sequence[Setting] | None) -> tuple[Fix, ...]: ...


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
            found = self.find("fixes", partial(find_fixes, None)) or ()
            return self.find("settings", find_settings) or (), found
        settings = self.find("settings", find_settings) or ()
        return settings, self.find("fixes", partial(find_fixes, settings)) or ()

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


def _explained(  # noqa: PLR0917 - each is a part of what is known
    history: History,
    mapping: EventSourceMapping,
    trials: Trials,
    parts: _Parts,
    found: Explanation,
    origins: Mapping[str, Origin],
) -> Explanation:
    """Return an explanation that has the rate, with the other parts."""
    oracle, rate = trials.oracle, found.rate
    assert rate is not None, "the rate is measured first"
    faults = parts.find("faults", lambda: _needed_faults(trials.scenario, oracle)) or ()
    find_settings = partial(_settings, mapping, trials, origins)
    settings, changes = parts.settings_and_fixes(find_settings, partial(fixes, mapping, trials))
    return attrs.evolve(
        found,
        settings=settings,
        faults=faults,
        fixes=changes,
        premises=parts.find("premises", lambda: premises(trials)) or (),
        assumptions=parts.find("assumptions", lambda: hanging(trials)),
        point_of_no_return=parts.find("point_of_no_return", lambda: point_of_no_return(history, oracle, rate)),
        unfinished=tuple(parts.unfinished),
        cut_by=oracle.meter.cut_by,
    )


def _settings(mapping: EventSourceMapping, trials: Trials, origins: Mapping[str, Origin]) -> tuple[Setting, ...]:
    """Return the settings with their parts; those that come first if the oracle runs out of budget."""
    found: list[Setting] = []
    with suppress(OutOfBudget):
        for each in design_settings(trials.scenario.design, mapping):
            setting = setting_role(each, trials, origins.get(each.path))
            if setting is None:
                continue
            if setting.path.attribute == "batch_size" and not setting.matters:
                load = load_sensitivity(trials.scenario, mapping, trials.oracle, trials.grid)
                setting = attrs.evolve(setting, load=load, same_at=() if load else setting.same_at)
            found.append(setting)
    return tuple(found)


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

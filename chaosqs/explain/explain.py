"""Explains a counterexample: what it needs, the settings and faults that matter, and the changes that prevent it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from math import ceil, log, log1p
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
    AssumptionRate,
    AssumptionVerdict,
    Ensemble,
    EnsembleWord,
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


# The verdict over assumption sets ------------------------------------------------------------------------------------
#
# The counterexample has one set of assumptions where AWS documents nothing; other sets fit the published measurements,
# too. A set is tried with seeds of the counterexample, then with larger loads, then with the cases of a search. If all
# of these hold, and chance does not explain it, the set does not produce the violation.

_FIRST_SEEDS = 12  # seeds of the counterexample under each set
_FEW_SEEDS = 4  # instead, if all seeds of the counterexample violate the invariant, or simulations are limited
_MEASURED = 60  # seeds from which the lowest and the highest rates are measured
_EXTREMES = 3  # sets at each end that have so many, at most
_SHARED = 600  # maximum trials of one kind, shared out among the sets that have not produced the violation
_LEAST_SHARE = 20  # trials of one kind that each of them has at least
_ERROR = 0.05  # probability that chance alone makes any set seem not to produce the violation
_MOST_DECIDING = 2  # maximum assumptions that are named as deciding alone


@attrs.define(eq=False)
class _Sets:
    """The trials of other assumption sets."""

    trials: Trials
    rate: Evidence
    """Violations under the counterexample's own set."""
    rates: dict[Assumptions, Evidence] = attrs.field(factory=dict[Assumptions, Evidence])
    """Violations in the first seeds of the counterexample, by set."""
    held: dict[Assumptions, int] = attrs.field(factory=dict[Assumptions, int])
    """Trials under the sets that have not produced the violation."""
    chances: dict[Assumptions, float] = attrs.field(factory=dict[Assumptions, float])
    """Logarithms of the probability that a set with the rates of the counterexample's own has held so far."""

    def under(self, assumed: Assumptions, seed: int) -> Scenario:
        """Return the counterexample under a set and another seed."""
        return ending(attrs.evolve(self.trials.scenario, seed=seed, assumptions=assumed))

    def begin(self, assumed: Assumptions) -> None:
        """Try a set with the first seeds; where simulations are limited, until the first violation."""
        violated = tried = 0
        few = self.trials.oracle.limit is not None or _share_of(self.rate) == 1
        most = _FEW_SEEDS if few else _FIRST_SEEDS
        for seed in range(min(most, self.rate.trials)):
            violated, tried = violated + self._violated(self.under(assumed, seed)), tried + 1
            if violated and self.trials.oracle.limit is not None:
                break
        self.rates[assumed] = Evidence(violated, tried, "seeds")
        if not violated:
            self.held[assumed], self.chances[assumed] = tried, tried * _log_rest(self.rate)

    def go_on(self) -> None:
        """Try the sets that have not produced the violation with all that may show it."""
        base = _log_rest(self.trials.base) if self.held else 0.0
        for assumed in list(self.held):
            self._try(assumed, self.trials.violating[1:], base)
        for assumed in list(self.held):
            self._try(assumed, self.trials.population[: self._share()], base)
        for assumed in list(self.held):
            seeds = range(self.rates[assumed].trials, min(self.rate.trials, _FIRST_SEEDS + self._share()))
            self._try(assumed, (self.under(assumed, seed) for seed in seeds), _log_rest(self.rate), enough=True)
        if self.held:
            cases = self._failing_first()
            for assumed in list(self.held):
                self._try(assumed, cases[: self._share()], 0.0)

    def excluded(self, assumed: Assumptions) -> bool:
        """Return True if chance does not explain that a set has held."""
        return self.chances[assumed] <= log(_ERROR / len(self.trials.others))

    def measured(self) -> tuple[Evidence, Evidence]:
        """Return the lowest and the highest rate of a set, the counterexample's own among them.

        The set that seems to be at an end is measured, until it stays there.
        """
        measured = {self.trials.scenario.assumptions: self.rate}
        rates = {**self.rates, **measured}
        for end in (min, max):
            for _ in range(_EXTREMES):
                assumed = end(rates, key=lambda each: _share_of(rates[each]))
                if _share_of(rates[assumed]) in map(_share_of, measured.values()):
                    break
                measured[assumed] = rates[assumed] = self.rate_under(assumed)
        known = sorted(measured.values(), key=_share_of)
        return known[0], known[-1]

    def rate_under(self, assumed: Assumptions) -> Evidence:
        """Return the rate over seeds of the counterexample under a set."""
        seeds = range(min(_MEASURED, self.rate.trials))
        return Evidence(sum(self._violated(self.under(assumed, seed)) for seed in seeds), len(seeds), "seeds")

    def deciding(self) -> tuple[tuple[AssumptionRate, ...], tuple[str, ...]]:
        """Return the assumptions that decide alone, with the rates at both their ends, or else those that do together.

        They are those of the set nearest to the counterexample's own that does not produce the violation.
        """
        own = self.trials.scenario.assumptions
        nearest = min(filter(self.excluded, self.held), key=lambda assumed: len(_differing(own, assumed)))
        values, tests = _differing(own, nearest), self._telling(len(_differing(own, nearest)))

        def prevents(names: Sequence[str]) -> bool:
            assumed = attrs.evolve(own, **{name: values[name] for name in names})
            return not any(self._violated(_assuming(test, assumed)) for test in tests)

        alone = [name for name in values if prevents([name])]
        if alone:
            return tuple(rate for name in alone[:_MOST_DECIDING] for rate in self._ends(name)), ()
        together = list(values)
        for name in values:
            less = [other for other in together if other != name]
            together = less if prevents(less) else together
        return (), tuple(together)

    def _ends(self, name: str) -> Iterator[AssumptionRate]:
        """Yield the rates with the least and the largest value that an assumption has in the sets."""
        own = self.trials.scenario.assumptions
        values = sorted(getattr(assumed, name) for assumed in (own, *self.trials.others))
        for value in (values[0], values[-1]):
            yield AssumptionRate(name, value, self.rate_under(attrs.evolve(own, **{name: value})))

    def _telling(self, claims: int) -> list[Scenario]:
        """Return tests of which one, at least, violates the invariant unless what they have in addition prevents it."""
        rest = _log_rest(self.rate)
        seeds = ceil(log(_ERROR / claims) / rest) if rest else _MEASURED
        own = self.trials.scenario.assumptions
        return [*self.trials.violating[1:], *(self.under(own, seed) for seed in range(min(seeds, self.rate.trials)))]

    def _failing_first(self) -> list[Scenario]:
        """Return the cases of a search of the design: those that violate the invariant under the own set first."""
        cases = self.trials.searched(self.trials.scenario.design)
        results = [self.trials.oracle.variation(_assuming(case, self.trials.scenario.assumptions)) for case in cases]
        failing = [case for case, found in zip(cases, results, strict=True) if found is not None and found.violated]
        return [*failing, *(case for case in cases if case not in failing)]

    def _share(self) -> int:
        return max(_LEAST_SHARE, _SHARED // max(1, len(self.held)))

    def _try(self, assumed: Assumptions, tests: Iterable[Scenario], chance: float, *, enough: bool = False) -> None:
        """Try a set; `chance`: by each trial, for its chances. `enough`: only until chance does not explain it."""
        for test in tests:
            if enough and self.excluded(assumed):
                return
            if self._violated(_assuming(test, assumed)):
                del self.held[assumed]
                return
            self.held[assumed] += 1
            self.chances[assumed] += chance

    def _violated(self, test: Scenario) -> bool:
        result = self.trials.oracle.variation(test)
        return result is not None and result.violated


def _assuming(test: Scenario, assumed: Assumptions) -> Scenario:
    return ending(attrs.evolve(test, assumptions=assumed))


def _share_of(found: Evidence) -> float:
    return found.violations / found.trials if found.trials else 0.0


def _log_rest(found: Evidence) -> float:
    """Return the logarithm of the probability of no violation in one trial, by the lower end of a rate."""
    return log1p(-min(found.interval()[0], 1 - 1e-9))


def _differing(own: Assumptions, other: Assumptions) -> dict[str, int]:
    """Return the values of another set that differ, by name."""
    names = [field.name for field in attrs.fields(Assumptions)]
    return {name: getattr(other, name) for name in names if getattr(other, name) != getattr(own, name)}


def judged(trials: Trials, rate: Evidence, *, ensemble: Sequence[Assumptions], measures: bool) -> Ensemble | None:
    """Return the verdict over the assumption sets of the trials; None if there are none.

    `rate`: of the counterexample's own set. `ensemble`: all sets that fit the measurements. `measures`: also measure
    the range of their rates.
    """
    if not trials.others:
        return None
    sets, own_fits = _Sets(trials, rate), trials.scenario.assumptions in ensemble
    found = Ensemble("unsettled", 0, len(ensemble), 0)
    with suppress(OutOfBudget):
        for assumed in trials.others:
            sets.begin(assumed)
        sets.go_on()
        word = _word(sets, whole=own_fits and len(ensemble) == 1 + len(sets.rates))
        found = attrs.evolve(found, verdict=word, trials=min(sets.held.values(), default=0))
        if measures and trials.oracle.limit is None:
            lowest, highest = sets.measured()
            found = attrs.evolve(found, lowest=lowest, highest=highest)
        if word == "depends":
            deciding, together = sets.deciding()
            found = attrs.evolve(found, deciding=deciding, together=together)
    tried = own_fits + len(sets.rates)
    return attrs.evolve(found, sets=tried, violated=tried - len(sets.held))


def _word(sets: _Sets, *, whole: bool) -> EnsembleWord:
    """Return the verdict, once sets were tried; `whole`: all that there are, the counterexample's own among them."""
    excluded = [assumed for assumed in sets.held if sets.excluded(assumed)]
    if not sets.held:
        return "robust"
    if not excluded:
        return "unsettled"
    return "artefact" if whole and len(excluded) == len(sets.rates) else "depends"


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
    if evidence.violations or not trials.holds_elsewhere(changed):
        return None
    sets = len(trials.others)
    return Fix(fix.changes, evidence, base=trials.base, conclusive=trials.excludes, patch=fix.patch, sets=sets)


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
    ensemble: Sequence[Assumptions] = (),
) -> Explanation:
    """Explain the history of a scenario, in which an invariant is violated on a mapping.

    `behaviours`: the user's fixed behaviours, with which a fix must work. `origins`: sources of settings, by path:
    `functions[0].reserved_concurrency`. `messages`: sources of messages, by queue; those of the scenario stand in for
    others. `causes`: the violations that were explained before; one with the same cause is told in short. `ensemble`:
    assumption sets that fit AWS's measurements, over which the verdict is judged. A bug of chaosqs is not explained.
    Parts that need more time than the `meter` has, or more runs of real code than the profile, are `unfinished`.
    """
    if invariant.name in {ours.name for ours in OURS}:
        return Explanation(own_bug=True)
    scenario, budget = history.scenario, for_behaviours(profile, history.scenario.behaviours)
    oracle = Oracle(invariant, mapping.queue, limit=budget.explain_simulations, meter=meter or Meter())
    parts = _Parts(oracle, budget.explain_simulations)
    trials = _trials(scenario, oracle, budget, behaviours or {}, messages or {}, ensemble)
    known = None if causes is None else parts.find("rate", partial(causes.same, history, trials))
    draws = budget.draws if known is None else ceil(budget.draws / _LIMITED)
    rate = parts.find("rate", lambda: _rate_of(scenario, oracle, draws))
    judge = partial(judged, trials, ensemble=ensemble, measures=known is None)
    over = None if rate is None else parts.find("assumptions", partial(judge, rate))
    if known is not None:
        return attrs.evolve(known, ensemble=over)
    if rate is None:
        return Explanation(unfinished=get_args(Part), cut_by=oracle.meter.cut_by)
    explained = _explained(history, mapping, trials, parts, Explanation(rate=rate, ensemble=over), origins or {})
    if causes is not None:
        causes.explained.append((invariant, history, explained))
    return explained


_CASES = 2
"""Cases of a search behind a claim, for each seed of a larger load."""
_LIMITED = 4
"""Share of the trials that a claim has, as a divisor, where the simulations are limited."""
_FEW_SETS = 7
"""Other assumption sets that claims have where the simulations are limited."""


def _trials(  # noqa: PLR0917 - as `explain`
    scenario: Scenario,
    oracle: Oracle,
    budget: Profile,
    behaviours: Mapping[str, Behaviour],
    messages: Mapping[str, MessageSource],
    ensemble: Sequence[Assumptions],
) -> Trials:
    """Return the trials of the claims: with real code, a few."""
    assert oracle.queue is not None, "an explanation is about one queue"
    shown = {**shown_by(scenario), **messages}
    grid = ScenarioGrid(scenario.design, oracle.queue, dict(behaviours), sources=shown, most=budget.messages)
    others = tuple(assumed for assumed in ensemble if assumed != scenario.assumptions)
    if budget.explain_simulations is None:
        return Trials(oracle, scenario, grid, budget.trials, _CASES * budget.trials, others)
    few = budget.trials // _LIMITED
    return Trials(oracle, scenario, grid, few, few, others[:_FEW_SETS])


def _rate_of(scenario: Scenario, oracle: Oracle, draws: int) -> Evidence:
    """Return the violation's rate over the seeds from 0 to `draws` - 1."""
    variants = [attrs.evolve(ending(scenario), seed=seed) for seed in range(draws)]
    return Evidence(sum(oracle.violated(variant) for variant in variants), draws, "seeds")


_SHARES: Mapping[Part, float] = {"fixes": 0.5, "settings": 0.8, "assumptions": 0.25}
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
            if self.oracle.spent and part not in self.unfinished:
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
        assumptions=parts.find("assumptions", lambda: hanging(trials)) if oracle.limit is None else None,
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

"""Thresholds of a violation: those of settings, and those of the world (its premises).

The part of a setting is one of four: safe from a value, rarer from it, better only at a price, or not involved.

A value is *safe* if its trials hold (see `trials`): a search of the design with that value, and the counterexample with
multiples of its load. One further out passes some of them, too. Values that no known scenario rejects are found by
halving, and tried from the nearest outwards. Ranges with two ends are not reported, nor values on a side where an
effect is an accident of timing.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from math import ceil, inf

import attrs

from chaosqs.errors import InvalidInput
from chaosqs.explain.settings import DesignSetting, rank
from chaosqs.explain.trials import Confirmation, Trials, enlarged, factors
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.model.explanation import (
    AtAPrice,
    Evidence,
    Origin,
    Premise,
    PremiseKind,
    Rarer,
    Setting,
    Side,
    Threshold,
    Toll,
    Value,
)
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load, Steady, arrivals
from chaosqs.search.simplicity import ending
from chaosqs.strategies.grid import exact

_SIDES: Mapping[str, tuple[Side, ...]] = {
    "visibility_timeout": ("at_least",),
    "max_receive_count": ("at_least",),
    "redrive": ("at_most",),
    "retention_period": ("at_least",),
    "delay": (),
    "receive_wait_time": (),
    "timeout": ("at_least",),
    "reserved_concurrency": ("at_least",),
    "concurrency": ("at_least",),
    "other_traffic": ("at_most",),
    "filters": ("at_most",),
}
"""The side on which a value may prevent a violation: giving up sooner, or less time or capacity, prevents none. Other
settings may help on both sides. A new redrive policy is at most "no limit" (None)."""
_THROUGHPUT = ("memory",)
"""Settings that change how fast a function is, and nothing else that a run shows."""
_MOST = {"max_receive_count": 20}
"""Outermost values that are tried, where larger ones only cost time."""
_ATTEMPTS = 12  # values of a setting that are tried on one side
_FIRST_STEP = 0.25  # relative distance from a value that failed to the next one; doubles with each attempt
_PRECISION = 0.3  # relative distance between a value that fails and a safe one, or 1
_SPREAD = 3  # values that are tried on one side for a lower rate


def setting_role(setting: DesignSetting, trials: Trials, origin: Origin | None) -> Setting | None:
    """Return a setting with its part in the violation; None if no other value fits the design.

    A quiet setting without a part is None, too.
    """
    value = setting.read(trials.scenario.design)
    found = Setting(setting.setting, value, origin=origin)
    if setting.name in _THROUGHPUT:
        return found
    scale = _Scale(setting, trials, value)
    if not any(scale.outwards(side) for side in ("at_least", "at_most")):
        return None
    sides = _SIDES.get(setting.name, ("at_least", "at_most"))
    safe = tuple(threshold for side in sides for threshold in scale.safe(side))
    found = attrs.evolve(found, thresholds=safe)
    if not safe:
        rarer = next(scale.rarer(sides), None)
        same = () if rarer or scale.price or setting.quiet else scale.same()
        found = attrs.evolve(found, rarer=rarer, at_a_price=None if rarer else scale.price, same_at=same)
    return found if found.matters or not setting.quiet else None


@attrs.define(eq=False)
class _Scale:
    """The values of one setting, and what their trials say."""

    setting: DesignSetting
    trials: Trials
    value: Value
    price: AtAPrice | None = None
    """The first value that helps, but at a price."""

    def outwards(self, side: Side) -> list[Value]:
        """Return the candidate values on one side that fit the design, the nearest first."""
        most = _MOST.get(self.setting.name)
        above = [other for other in self.setting.candidates if rank(other) > rank(self.value)]
        above = [other for other in above if most is None or rank(other) <= most]
        below = [other for other in self.setting.candidates if rank(other) < rank(self.value)]
        ordered = sorted(above, key=rank) if side == "at_least" else sorted(below, key=rank, reverse=True)
        return [other for other in ordered if self._design(other) is not None]

    def safe(self, side: Side) -> Iterator[Threshold]:
        """Yield the threshold on one side, if there is one.

        Values further and further out are screened until one passes, then values between it and those that fail. The
        nearest that passes must be confirmed.
        """
        bad, outwards, good, steps = self.value, self.outwards(side), list[Value](), 0
        for attempt in range(_ATTEMPTS):
            while outwards and self._rejected(outwards[-1]) is None:
                outwards.pop()
            if not outwards or self._rejected(outwards[-1]):
                return
            good = [value for value in good if self._rejected(value) is False]
            tried = self._next(bad, steps, outwards, side)
            if good:
                tried = self._between(bad, good[-1], outwards, side, halve=bool(attempt % 2))
            if tolls := self._tolls(tried):
                self.price = self.price or AtAPrice(side, tried, tolls)
                return
            if tried in good:
                if found := self._confirmed(tried, _beyond(outwards, tried, side)):
                    yield self._threshold(side, tried, found)
                    return
                good.remove(tried)
            elif self._seems(tried):
                good.append(tried)
                continue
            bad, outwards = tried, _beyond(outwards, tried, side)
            steps += 0 if good else 1

    def _next(self, bad: Value, steps: int, outwards: Sequence[Value], side: Side) -> Value:
        """Return a value that no known scenario rejects, some steps beyond one that fails."""
        least = _farther(bad, steps, side) if steps else bad
        return self._at_least_as_far(self._edge(bad, outwards), least, outwards, side)

    def _between(self, bad: Value, good: Value, outwards: Sequence[Value], side: Side, *, halve: bool) -> Value:
        """Return a value between one that fails and one that passed, or the latter if they are close."""
        if bad is None or good is None or isinstance(good, bool) or abs(good - bad) <= max(1, _PRECISION * abs(bad)):
            return good
        farther = _beyond(outwards, good, side)
        within = [*(value for value in outwards if value != good and value not in farther), good]
        return self._at_least_as_far(self._edge(bad, within), (bad + good) // 2 if halve else bad, within, side)

    def _at_least_as_far(self, edge: Value, least: Value, outwards: Sequence[Value], side: Side) -> Value:
        """Return a value on one side that is as far out as both of two; the outermost one at most."""
        if least is None or edge == least or _beyond([edge], least, side):
            return edge
        least_fits = _beyond(outwards, least, side) and self._design(least) is not None
        return least if least_fits else outwards[-1]

    def rarer(self, sides: Sequence[Side]) -> Iterator[Rarer]:
        """Yield values with which the violation is rarer, and nothing else worse, on each side the nearest."""
        for side in sides:
            for other in _spread_over(self.outwards(side)):
                design = self._design(other)
                if design is not None and self.trials.compared(design)[1] < 0 and not self.trials.price(design):
                    yield Rarer(side, other, self.trials.base, self.trials.rate(design))
                    break

    def same(self) -> tuple[Value, ...]:
        """Return a low, a usual and a high value, if the violation stays with each of them; else nothing.

        If it goes away with the lowest or the highest at a price, the price is noted.
        """
        below, above = self.outwards("at_most"), self.outwards("at_least")
        tried = dict.fromkeys([*below[-1:], *(above or below)[:1], *above[-1:]])
        stays = [self._stays("at_most" if rank(other) < rank(self.value) else "at_least", other) for other in tried]
        return tuple(sorted(tried, key=rank)) if all(stays) else ()

    def _stays(self, side: Side, other: Value) -> bool:
        design = self._design(other)
        if design is None:
            return False
        order = self.trials.compared(design)[1]
        tolls = self.trials.price(design) if order < 0 else ()
        if tolls and self.price is None:
            self.price = AtAPrice(side, other, tolls)
        return not order

    def _tolls(self, other: Value) -> tuple[Toll, ...]:
        design = self._design(other)
        return () if design is None else self.trials.price(design)

    def _seems(self, other: Value) -> bool:
        design = self._design(other)
        return design is not None and self.trials.excludes and self.trials.seem(design)

    def _confirmed(self, other: Value, farther: Sequence[Value]) -> Confirmation | None:
        """Return the trials of a value that hold, if one further out passes some of them, too."""
        beyond = [design for each in farther[1:2] or farther[:1] if (design := self._design(each)) is not None]
        design = self._design(other)
        return self.trials.confirmed(design) if design and all(map(self.trials.pass_some, beyond)) else None

    def _threshold(self, side: Side, edge: Value, found: Confirmation) -> Threshold:
        any_number = self.value is None and side == "at_most" and edge == self.outwards(side)[0]
        return Threshold("any" if any_number else side, edge, found.evidence, found.cases, found.messages, found.sets)

    def _edge(self, fails: Value, outwards: Sequence[Value]) -> Value:
        """Return the value nearest to a failing one that no known scenario rejects; the outermost one is one."""
        first, last = -1, len(outwards) - 1
        while last - first > 1:
            middle = (first + last) // 2
            first, last = (first, middle) if self._rejected(outwards[middle]) is False else (middle, last)
        bad, good = fails if first < 0 else outwards[first], outwards[last]
        while bad is not None and good is not None and abs(good - bad) > 1 and not isinstance(good, bool):
            between = (bad + good) // 2
            bad, good = (bad, between) if self._rejected(between) is False else (between, good)
        return good

    def _rejected(self, other: Value) -> bool | None:
        design = self._design(other)
        return None if design is None else self.trials.rejected(design)

    def _design(self, other: Value) -> Design | None:
        try:
            return self.setting.write(self.trials.scenario.design, other)
        except InvalidInput:
            return None


def _beyond(outwards: Sequence[Value], value: Value, side: Side) -> list[Value]:
    """Return the values further out than a value."""
    sign = 1 if side == "at_least" else -1
    return [other for other in outwards if sign * rank(other) > sign * rank(value)]


def _farther(fails: Value, attempt: int, side: Side) -> Value:
    """Return the value that is tried after one that failed, at least."""
    if fails is None or isinstance(fails, bool):
        return fails
    growth = 1 + _FIRST_STEP * 2 ** (attempt - 1)
    return max(fails + 1, ceil(fails * growth)) if side == "at_least" else min(fails - 1, int(fails / growth))


def _spread_over(values: Sequence[Value]) -> list[Value]:
    """Return a few of the values, evenly spread, the outermost last."""
    steps = range(1, _SPREAD + 1)
    return list(dict.fromkeys(values[max(0, len(values) * step // _SPREAD - 1)] for step in steps)) if values else []


# Premises: messages, the time in which they come, their size and groups, durations, failures, lasting faults ----------
#
# Each figure of the counterexample is lowered alone until the violation is not seen any more. Durations and failures
# are tried with multiples of the load, too: they are necessary for larger loads as well. A value is confirmed under the
# other assumption sets, too.

_FIRST_SEEDS = 40  # seeds from which a value seems to be safe
_SEEDS_A_SET = 2  # seeds that confirm a value under each other assumption set
_DOUBLINGS = 5  # of the time over which messages come
_STEPS_DOWN: dict[PremiseKind, tuple[float, ...]] = {
    "duration": (1, 0.1),
    "failures": (0.05,),
    "messages": (1,),
    "rate": (1, 0.1, 0.01),
    "lasting": (10, 1),
    "size": (16_384, 1_024),
    "fault": (60, 10, 1),
}
"""Steps in which a figure is lowered, the coarsest first: seconds, shares, messages (a second), bytes."""


@attrs.frozen
class _Figure:
    """One figure of the counterexample, and how to change it."""

    about: PremiseKind
    subject: str
    attribute: str
    value: float
    write: Callable[[float], Scenario] = attrs.field(repr=False)
    least: float | None = None
    """Least value to try; if the violation stays with it, the figure is not needed. None: there is no such value."""
    most: float = inf
    """Largest value to try."""

    @property
    def multiplied(self) -> bool:
        """True if it is tried with multiples of the load, too."""
        return self.about in {"duration", "failures"}


def premises(trials: Trials) -> tuple[Premise, ...]:
    """Return what the counterexample needs; a figure whose lowest value has the violation, too, is not needed."""
    if not trials.excludes:
        return ()
    search = _World(trials)
    return tuple(premise for figure in _figures(trials.scenario) for premise in search.premise(figure))


def _figures(scenario: Scenario) -> Iterator[_Figure]:
    usual = Behaviour()
    for name, behaviour in scenario.behaviours.items():
        if behaviour.handler is not None:
            continue
        kinds: tuple[tuple[PremiseKind, str], ...] = (
            ("duration", "seconds_per_batch"),
            ("duration", "seconds_per_message"),
            ("failures", "error_rate"),
        )
        for about, attribute in kinds:
            value = getattr(behaviour, attribute)
            if value > getattr(usual, attribute):
                yield _Figure(about, name, attribute, value, partial(_behaving, scenario, name, attribute), 0)
    for index, load in enumerate(scenario.workload):
        yield from _load_figures(load, partial(_loaded, scenario, index))
    for index, window in enumerate(scenario.faults.windows):
        yield _Figure("fault", window.scope, window.kind, window.seconds, partial(_lasting, scenario, index))


def _load_figures(load: Load, write: Callable[[str, float], Scenario]) -> Iterator[_Figure]:
    """Yield the figures of a load: how many messages, when, and, of bodies that are given by size and group, these."""

    def figure(about: PremiseKind, attribute: str, least: float | None = None, most: float = inf) -> _Figure:
        value: float = getattr(load, attribute)
        return _Figure(about, load.queue, attribute, value, partial(write, attribute), least, most)

    if isinstance(load, Burst):
        yield figure("messages", "count")
        if load.over:
            yield figure("spread", "over")
    else:
        yield figure("rate", "per_second")
        yield figure("lasting", "seconds")
    if load.body_bytes > _SMALL and not load.messages:
        yield figure("size", "body_bytes", _SMALL)
    if 0 < load.groups < (count := len(arrivals([load]))):
        yield figure("groups", "groups", most=count)


_SMALL = 100  # bytes of a body that is small


def _lasting(scenario: Scenario, index: int, seconds: float) -> Scenario:
    windows = list(scenario.faults.windows)
    windows[index] = attrs.evolve(windows[index], seconds=exact(seconds))
    return attrs.evolve(scenario, faults=attrs.evolve(scenario.faults, windows=tuple(windows)))


def _behaving(scenario: Scenario, name: str, attribute: str, value: float) -> Scenario:
    behaviour = scenario.behaviours[name]
    match attribute:
        case "seconds_per_batch":
            behaviour = attrs.evolve(behaviour, seconds_per_batch=exact(value))
        case "seconds_per_message":
            behaviour = attrs.evolve(behaviour, seconds_per_message=exact(value))
        case _:
            behaviour = attrs.evolve(behaviour, error_rate=round(value, 3))
    return attrs.evolve(scenario, behaviours={**scenario.behaviours, name: behaviour})


def _loaded(scenario: Scenario, index: int, attribute: str, value: float) -> Scenario:
    loads = list(scenario.workload)
    match loads[index], attribute:
        case Burst() as load, "count":
            loads[index] = attrs.evolve(load, count=int(value))
        case Burst() as load, "over":
            loads[index] = attrs.evolve(load, over=exact(value))
        case Steady() as load, "per_second":
            loads[index] = attrs.evolve(load, per_second=exact(round(value, 3)))
        case Steady() as load, "seconds":
            loads[index] = attrs.evolve(load, seconds=exact(value))
        case load, "groups":
            loads[index] = attrs.evolve(load, groups=int(value))
        case load, _:
            loads[index] = attrs.evolve(load, body_bytes=int(value))
    return attrs.evolve(scenario, workload=tuple(loads))


@attrs.frozen
class _World:
    """Searches the thresholds of the world."""

    trials: Trials

    def premise(self, figure: _Figure) -> Iterator[Premise]:
        """Yield the threshold of a figure, if it has one."""
        if figure.about in {"spread", "groups"}:
            yield from self._spread(figure)
            return
        bad, good = figure.value, figure.least or 0.0
        if figure.least is not None and self._violated(figure, good, _FIRST_SEEDS):
            return
        steps = [step for step in _STEPS_DOWN[figure.about] if step < bad]
        if not steps and figure.about != "messages":
            return
        for step in steps:
            while bad - good > 1.5 * step:
                middle = max(good + step, min(bad - step, round((bad + good) / 2 / step) * step))
                bad, good = (middle, good) if self._violated(figure, middle, _FIRST_SEEDS) else (bad, middle)
            if good > (figure.least or 0):
                break
        first = _FIRST_SEEDS
        while good > 0 and bad and self._violated(figure, good, self.trials.seeds, first):
            first += self.trials.seeds
            bad, good = good, good - steps[0] if good > steps[0] else good / 2
            if bad - good < steps[-1]:
                return
        if good or figure.about == "messages":
            yield self._premise(figure, bad, good)

    def _spread(self, figure: _Figure) -> Iterator[Premise]:
        near = figure.value
        for _ in range(_DOUBLINGS):
            more = min(2 * near, figure.most)
            if more == near:
                return
            if not self._violated(figure, more, self.trials.seeds):
                yield self._premise(figure, near, more)
                return
            near = more

    def _premise(self, figure: _Figure, bad: float, good: float) -> Premise:
        tests = list(self._tests(figure, good, self.trials.seeds))[: self.trials.seeds]
        largest = max(len(arrivals(test.workload)) for test in tests)
        return Premise(
            figure.about,
            figure.subject,
            figure.attribute,
            exact(bad),
            exact(good),
            Evidence(0, len(tests), "larger_loads" if figure.multiplied else "seeds"),
            largest,
        )

    def _violated(self, figure: _Figure, value: float, seeds: int, first: int = 0) -> bool:
        results = (self.trials.oracle.variation(test) for test in self._tests(figure, value, seeds, first))
        return any(result is not None and result.violated for result in results)

    def _tests(self, figure: _Figure, value: float, seeds: int, first: int = 0) -> Iterator[Scenario]:
        changed = figure.write(value)
        loads = [changed]
        if figure.multiplied:
            loads = [enlarged(changed, factor) for factor in reversed(factors(changed, self.trials.most))]
        for seed in range(first, first + seeds):
            yield ending(attrs.evolve(loads[seed % len(loads)], seed=seed))
        if seeds == self.trials.seeds:
            for seed, assumed in enumerate(self.trials.others * _SEEDS_A_SET):
                yield ending(attrs.evolve(loads[seed % len(loads)], seed=seed, assumptions=assumed))

"""The tipping point: up to which moment chance could still have avoided the violation.

The history is kept up to some moment; from then on luck is drawn anew and nothing goes wrong any more (the plan is
healed). Where at least 95 % of such futures end in the violation, it was inevitable.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from chaosqs.errors import InvalidInput, SimulationError
from chaosqs.explorer.oracle import Oracle
from chaosqs.explorer.order import ending
from chaosqs.model.counterexample import Rate, Tipping
from chaosqs.model.event import Received
from chaosqs.model.fault import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.report.clause import Clause
from chaosqs.report.phrases import said
from chaosqs.report.slice import Slice, causal_slice
from chaosqs.report.text import ordinal
from chaosqs.report.throttling import without_retries
from chaosqs.simulator.redraw import redrawn
from chaosqs.simulator.run import isolated

MOST_CUTS = 10
FUTURES = 40
"""Futures of one moment: with `MOST_CUTS` moments, at most 400 simulations."""
_MISSES = FUTURES // 20
"""So many of them may go well where the violation counts as inevitable."""


def tipping(scenario: Scenario, oracle: Oracle, rate: Rate) -> Tipping:
    """Return from when on the violation was inevitable; `rate`: how often any luck from the start leads to it."""
    if scenario.faults == FaultPlan() and rate.violated >= rate.of * (1 - _MISSES / FUTURES):
        return Tipping(None, "", rate.violated, rate.of)
    history = isolated(scenario)
    violation = oracle.judge(history).violations[0]
    story = causal_slice(history, violation)
    found = Tipping(violation.at, "", FUTURES, FUTURES)
    for place in reversed(_cuts(story)):
        at = story.event(place).at
        violated = _violated(scenario, oracle, at)
        if violated < FUTURES - _MISSES:
            return attrs.evolve(found, avoidable_at=at)
        found = Tipping(at, _what(story, place), violated, FUTURES)
    return found


def _cuts(story: Slice) -> list[int]:
    """Return the places of the moments to try: of the events about the messages concerned, before the violation."""
    own = [place for place in story.places if story.concerns(place) and story.event(place).at < story.violation.at]
    moments: dict[int, int] = {}
    for place in without_retries(story, own):
        at = story.event(place).at
        if at not in moments or isinstance(story.event(place), Received):
            moments[at] = place
    return _spread(list(moments.values()))


def _spread(places: Sequence[int]) -> list[int]:
    if len(places) <= MOST_CUTS:
        return list(places)
    return [places[number * (len(places) - 1) // (MOST_CUTS - 1)] for number in range(MOST_CUTS)]


def _violated(scenario: Scenario, oracle: Oracle, at: int) -> int:
    """Count the futures of a moment that end in the violation; stop where too many have gone well."""
    healed = _healed(scenario, at)
    bad = good = 0
    luck = 0
    while bad + good < FUTURES and good <= _MISSES:
        luck += 1
        if luck == scenario.luck:
            continue
        oracle.simulations += 1
        try:
            verdict = oracle.judge(redrawn(healed, at, luck))
        except (InvalidInput, SimulationError):
            good += 1
            continue
        bad, good = (bad + 1, good) if verdict.status is Status.VIOLATED else (bad, good + 1)
    return bad


def _healed(scenario: Scenario, at: int) -> Scenario:
    """Return the scenario in which nothing goes wrong after a moment."""
    plan = scenario.faults
    if plan == FaultPlan():
        return ending(scenario)
    heals = (at + 1) / 1000
    heals = heals if plan.heal_at is None else min(heals, plan.heal_at)
    return ending(attrs.evolve(scenario, faults=attrs.evolve(plan, heal_at=heals)))


def _what(story: Slice, place: int) -> str:
    """Say what happened at a place: `third receive of message 2`."""
    event = story.event(place)
    if isinstance(event, Received):
        for message, count in zip(event.messages, event.receive_counts, strict=True):
            if message in story.focus:
                return f"{ordinal(count)} receive of message {message + 1:,}"
    return said(story, [Clause((place,), (event,))], summed=False)

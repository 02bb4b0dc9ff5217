"""The point of no return: up to which moment chance could still have avoided the violation.

The history is kept up to some moment; from then on seed is drawn anew and nothing goes wrong any more (the plan is
healed). Where at least 95 % of such futures end in the violation, it was inevitable.
"""

from collections.abc import Sequence

import attrs

from chaosqs.errors import InvalidInput, SimulationError
from chaosqs.model.causal_slice import Slice, causal_slice
from chaosqs.model.events import Received
from chaosqs.model.explanation import Evidence, PointOfNoReturn
from chaosqs.model.faults import FaultPlan
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.search.oracle import Oracle
from chaosqs.search.simplicity import ending
from chaosqs.simulation.run import redrawn

FUTURES = 40
"""Futures that are drawn from one moment."""
_MISSES = FUTURES // 20
"""So many of them may go well where the violation counts as inevitable."""
_COARSE, _FINE = 7, 5
"""Moments that are tried: of all that happened to the messages, then of what lies around the point that was found.
With so many futures each, that makes 480 simulations at the most; a moment that is no good takes a few of them only."""


def point_of_no_return(history: History, oracle: Oracle, rate: Evidence) -> PointOfNoReturn:
    """Return from when on the violation was inevitable; `rate`: how often any seed from the start leads to it."""
    scenario = history.scenario
    if scenario.faults == FaultPlan() and rate.violations >= rate.trials * (1 - _MISSES / FUTURES):
        return PointOfNoReturn(rate, None)
    story = causal_slice(history, oracle.judge(history).violations[0])
    cuts = _cuts(story)
    start = PointOfNoReturn(_of_futures(FUTURES), story.violation.at)
    coarse = _backwards(scenario, oracle, story, _spread(story.without_retries(cuts), _COARSE), start)
    between = [index for index in cuts if _lies_between(story.event(index).at, coarse)]
    return _backwards(scenario, oracle, story, _spread(between, _FINE), coarse)


def _cuts(story: Slice) -> list[int]:
    """Return the places of what happened to the messages concerned before the violation, one for each moment."""
    moments: dict[int, int] = {}
    for index in story.indexes:
        event = story.event(index)
        if story.concerns(index) and event.at < story.violation.at:
            told = isinstance(event, Received) or event.at not in moments
            moments[event.at] = index if told else moments[event.at]
    return list(moments.values())


def _spread(indexes: Sequence[int], most: int) -> list[int]:
    """Return so many of some places at the most, evenly, the first and the last among them."""
    if len(indexes) <= most:
        return list(indexes)
    return [indexes[number * (len(indexes) - 1) // (most - 1)] for number in range(most)]


def _lies_between(at: int, found: PointOfNoReturn) -> bool:
    avoidable = -1 if found.avoidable_at is None else found.avoidable_at
    return found.at is not None and avoidable < at < found.at


def _backwards(
    scenario: Scenario, oracle: Oracle, story: Slice, indexes: Sequence[int], found: PointOfNoReturn
) -> PointOfNoReturn:
    """Go back from moment to moment as long as the violation is inevitable."""
    for index in reversed(indexes):
        at = story.event(index).at
        violated = _violated(scenario, oracle, at)
        if violated < FUTURES - _MISSES:
            return attrs.evolve(found, avoidable_at=at)
        found = PointOfNoReturn(_of_futures(violated), at, index, found.avoidable_at)
    return found


def _of_futures(violated: int) -> Evidence:
    return Evidence(violated, FUTURES, "futures")


def _violated(scenario: Scenario, oracle: Oracle, at: int) -> int:
    """Count the futures of a moment that end in the violation; stop where too many have gone well."""
    healed = _healed(scenario, at)
    bad = good = 0
    seed = 0
    while bad + good < FUTURES and good <= _MISSES:
        seed += 1
        if seed == scenario.seed:
            continue
        oracle.simulations += 1
        try:
            verdict = oracle.judge(redrawn(healed, at, seed))
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

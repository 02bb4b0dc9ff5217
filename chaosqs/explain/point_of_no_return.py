"""Finds the point of no return: the time from which on chance could no longer avoid the violation.

The history is kept up to some time. After it, the run goes on with another seed and without faults (the plan is
healed). If at least 95 % of such futures end in the violation, it was inevitable at that time.
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

FUTURES = 40  # futures that are drawn from one time
_MAX_MISSES = FUTURES // 20  # maximum futures without the violation at which it still counts as inevitable
# With FUTURES each, the times below make 480 simulations at most; a time that is too early takes only a few of them.
_COARSE_TIMES = 7  # times that are tried first, spread over all events of the messages concerned
_FINE_TIMES = 5  # times that are tried then, between the two around the point


def point_of_no_return(history: History, oracle: Oracle, rate: Evidence) -> PointOfNoReturn:
    """Return the time from which on the violation was inevitable; `rate`: its rate over seeds from the start."""
    scenario = history.scenario
    if scenario.faults == FaultPlan() and rate.violations >= rate.trials * (1 - _MAX_MISSES / FUTURES):
        return PointOfNoReturn(rate, None)
    story = causal_slice(history, oracle.judge(history).violations[0])
    cuts = _cuts(story)
    start = PointOfNoReturn(_of_futures(FUTURES), story.violation.at)
    coarse = _backwards(scenario, oracle, story, _spread(story.without_retries(cuts), _COARSE_TIMES), start)
    between = [index for index in cuts if _lies_between(story.event(index).at, coarse)]
    return _backwards(scenario, oracle, story, _spread(between, _FINE_TIMES), coarse)


def _cuts(story: Slice) -> list[int]:
    """Return the indexes of the events of the messages concerned before the violation, one for each time."""
    moments: dict[int, int] = {}
    for index in story.indexes:
        event = story.event(index)
        if story.concerns(index) and event.at < story.violation.at:
            preferred = isinstance(event, Received) or event.at not in moments
            moments[event.at] = index if preferred else moments[event.at]
    return list(moments.values())


def _spread(indexes: Sequence[int], most: int) -> list[int]:
    """Return at most `most` of some indexes, evenly spread, including the first and the last."""
    if len(indexes) <= most:
        return list(indexes)
    return [indexes[number * (len(indexes) - 1) // (most - 1)] for number in range(most)]


def _lies_between(at: int, found: PointOfNoReturn) -> bool:
    avoidable = -1 if found.avoidable_at is None else found.avoidable_at
    return found.at is not None and avoidable < at < found.at


def _backwards(
    scenario: Scenario, oracle: Oracle, story: Slice, indexes: Sequence[int], found: PointOfNoReturn
) -> PointOfNoReturn:
    """Try the times from the last to the first while the violation is inevitable; return the earliest such time."""
    for index in reversed(indexes):
        at = story.event(index).at
        violated = _violated(scenario, oracle, at)
        if violated < FUTURES - _MAX_MISSES:
            return attrs.evolve(found, avoidable_at=at)
        found = PointOfNoReturn(_of_futures(violated), at, index, found.avoidable_at)
    return found


def _of_futures(violated: int) -> Evidence:
    return Evidence(violated, FUTURES, "futures")


def _violated(scenario: Scenario, oracle: Oracle, at: int) -> int:
    """Count the futures from a time that end in the violation; stop when too many do not."""
    healed = _healed(scenario, at)
    bad = good = 0
    seed = 0
    while bad + good < FUTURES and good <= _MAX_MISSES:
        seed += 1
        if seed == scenario.seed:
            continue
        oracle.count()
        try:
            verdict = oracle.judge(redrawn(healed, at, seed))
        except (InvalidInput, SimulationError):
            good += 1
            continue
        bad, good = (bad + 1, good) if verdict.status is Status.VIOLATED else (bad, good + 1)
    return bad


def _healed(scenario: Scenario, at: int) -> Scenario:
    """Return the scenario without faults after a time."""
    plan = scenario.faults
    if plan == FaultPlan():
        return ending(scenario)
    heals = (at + 1) / 1000
    heals = heals if plan.heal_at is None else min(heals, plan.heal_at)
    return ending(attrs.evolve(scenario, faults=attrs.evolve(plan, heal_at=heals)))

"""Does the search find, and does it shrink to the smallest? Against an enumeration that knows nothing of the search."""

from itertools import count, product

import attrs
import pytest

from chaosqs.invariants import NO_DEAD_LETTERING_BY_THROTTLING
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.model.workload import Burst
from chaosqs.search.profiles import CI, QUICK
from chaosqs.search.search import search
from chaosqs.simulation.run import simulate
from tests.search.designs import (
    MAPPING,
    ROOMY,
    SOUND,
    Judge,
    invariant,
    never_dead_lettered,
    never_slow,
    over_polling,
    processed_once,
)

SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(2, 20))]
FEW_SEEDS = range(2)
DESIGN = over_polling()


def smallest_by_enumeration() -> Scenario:
    """Try every number of messages with every calm workload and every healthy function, until one is bad."""
    for messages in count(1):
        bad: list[tuple[tuple[bool, bool, int, float], Scenario]] = []
        for over, seconds in product((0, 1, 30), (0.05, 1, 15, 29)):
            behaviours = {} if seconds == 0.05 else {"worker": Behaviour(seconds_per_batch=seconds)}
            scenario = Scenario(DESIGN, [Burst("orders", messages, over=over)], behaviours)
            judged = NO_DEAD_LETTERING_BY_THROTTLING.judge(simulate(attrs.evolve(scenario, until=3_600)))
            if judged.status is Status.VIOLATED:
                told = [number for number, usual in ((over, 0), (seconds, 0.05)) if number != usual]
                order = (over != 0, seconds != 0.05, sum(len(str(number)) for number in told), sum(told))
                bad.append((order, scenario))
        if bad:
            return min(bad, key=lambda entry: entry[0])[1]
    raise AssertionError


@pytest.fixture(scope="module")
def smallest() -> Scenario:
    return smallest_by_enumeration()


@pytest.mark.parametrize("seed", SEEDS)
def test_over_polling_is_found_and_shrinks_to_the_smallest(seed: int, smallest: Scenario) -> None:
    """Whatever the seed, 100 cases suffice, and the counterexample is the one that enumeration finds."""
    assert search(DESIGN, MAPPING, NO_DEAD_LETTERING_BY_THROTTLING, profile=QUICK, seed=seed).scenario == smallest


def test_a_sound_design_has_no_counterexample() -> None:
    """With a maximum concurrency that fits nothing is dead-lettered, though the search drove it to its limit."""
    finding = search(SOUND, MAPPING, NO_DEAD_LETTERING_BY_THROTTLING, profile=QUICK)
    assert finding.scenario is None
    assert finding.cases == QUICK.max_examples
    assert finding.verdict.status is Status.HOLDS
    assert finding.verdict.exercised > 100


@pytest.mark.parametrize("judge", [never_dead_lettered, never_slow])
def test_other_violations_have_one_normal_form_too(judge: Judge) -> None:
    """A violation that needs a failing function or a slow one shrinks to one scenario from any seed."""
    promised = invariant(judge)
    found = [search(ROOMY, MAPPING, promised, profile=CI, seed=seed).scenario for seed in FEW_SEEDS]
    assert found == found[:1] * len(FEW_SEEDS)
    assert found[0] is not None
    assert found[0].workload == (Burst("orders", 1),)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.deep)])
def test_one_fault_is_left_where_a_fault_is_needed(seed: int) -> None:
    """What needs a fault from outside keeps exactly one, the best known of those that do, and a calm world."""
    scenario = search(ROOMY, MAPPING, invariant(processed_once), profile=CI, seed=seed).scenario
    assert scenario is not None
    assert scenario.faults == FaultPlan([["lost_response"]])
    assert scenario == Scenario(ROOMY, [Burst("orders", 1)], faults=scenario.faults)


def test_a_function_that_varies_needs_a_seed() -> None:
    """What only chance brings about keeps the smallest seed that does, and no fault."""
    varying = {"worker": Behaviour(seconds_per_batch=1, spread=0.5)}
    scenario = search(ROOMY, MAPPING, invariant(never_slow), behaviours=varying, profile=CI).scenario
    assert scenario is not None
    assert 0 < scenario.seed < 32
    assert scenario == Scenario(ROOMY, scenario.workload, varying, seed=scenario.seed)

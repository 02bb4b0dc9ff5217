import attrs
import pytest

from chaosqs.explain import point_of_no_return as explaining
from chaosqs.explain.point_of_no_return import FUTURES
from chaosqs.invariants import NO_DEAD_LETTERING_BY_THROTTLING
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.events import Received, Throttled
from chaosqs.model.explanation import Evidence, PointOfNoReturn
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Verdict
from chaosqs.model.workload import Burst
from chaosqs.search.oracle import Oracle
from chaosqs.search.simplicity import ending
from chaosqs.simulation.run import redrawn, simulate
from tests.search.designs import ROOMY, invariant, never_dead_lettered, over_polling, processed_once

RARE = Evidence(20, 200, "seeds")
LOCKSTEP = Scenario(over_polling(), [Burst("orders", 5, over=30)], {"worker": Behaviour(seconds_per_batch=29.25)})


def point_of_no_return(scenario: Scenario, oracle: Oracle, rate: Evidence) -> PointOfNoReturn:
    """Return the point of no return of a scenario."""
    return explaining.point_of_no_return(simulate(scenario), oracle, rate)


def throttling() -> Oracle:
    return Oracle(NO_DEAD_LETTERING_BY_THROTTLING, "orders")


def processed_once_by_the_end(history: History) -> Verdict:
    """Promise that no message is processed twice, judged at the end."""
    found = processed_once(history)
    return attrs.evolve(found, violations=tuple(attrs.evolve(one, at=history.ended_at_ms) for one in found.violations))


def share(scenario: Scenario, at: int) -> float:
    """Count anew which futures of a moment end in the violation."""
    oracle = throttling()
    tried = range(1, 41)
    return sum(bool(oracle.judge(redrawn(ending(scenario), at, seed)).violations) for seed in tried) / len(tried)


def test_over_polling_is_avoidable_for_a_while() -> None:
    """Before the moment that is named the futures differ, and from it on at least 95 % of them are the violation."""
    found = point_of_no_return(LOCKSTEP, throttling(), RARE)
    assert found.at is not None
    assert found.avoidable_at is not None
    assert found.avoidable_at < found.at
    assert share(LOCKSTEP, found.avoidable_at) < 0.95 <= share(LOCKSTEP, found.at)
    assert found.evidence.violations / found.evidence.trials >= 0.95
    assert found.event is not None
    event = simulate(LOCKSTEP).events[found.event]
    assert isinstance(event, Received | Throttled)
    assert event.at == found.at


def test_it_is_the_same_each_time_and_bounded() -> None:
    """Equal scenarios tip at equal moments, in at most 500 simulations."""
    first, second = throttling(), throttling()
    assert point_of_no_return(LOCKSTEP, first, RARE) == point_of_no_return(LOCKSTEP, second, RARE)
    assert first.simulations == second.simulations <= 500


def test_a_violation_under_every_seed_was_certain_from_the_start() -> None:
    """Where nearly all seeds end in it nothing is simulated: there is no moment to be found."""
    oracle = throttling()
    found = point_of_no_return(LOCKSTEP, oracle, Evidence(199, 200, "seeds"))
    assert (found, oracle.simulations) == (PointOfNoReturn(Evidence(199, 200, "seeds"), None), 0)


def test_a_fault_that_has_struck_makes_it_inevitable() -> None:
    """Nothing goes wrong after the moment in question: so it tips where the fault strikes, not before."""
    scenario = Scenario(ROOMY, [Burst("orders", 1)], faults=FaultPlan(messages=[["lost_delete"]]))
    found = point_of_no_return(
        scenario, Oracle(invariant(processed_once_by_the_end), "orders"), Evidence(200, 200, "seeds")
    )
    assert found.at is not None
    assert 0 < found.at < 1_000
    assert found.evidence == Evidence(FUTURES, FUTURES, "futures")


def test_a_window_that_closes_early_avoids_it() -> None:
    """A fault that lasts makes nothing inevitable as long as it could still end in time."""
    scenario = Scenario(ROOMY, [Burst("orders", 1)], faults=FaultPlan(windows=[Window("error", "worker", 0, 600)]))
    found = point_of_no_return(scenario, Oracle(invariant(never_dead_lettered), "orders"), Evidence(200, 200, "seeds"))
    assert found.avoidable_at is not None
    assert found.at is not None
    assert found.avoidable_at >= 60_000
    assert found.at >= 120_000


@pytest.mark.parametrize("seed", [1, 40])
def test_the_scenarios_own_seed_is_no_other_future(seed: int) -> None:
    """What did happen is not drawn again: each moment has as many other futures."""
    found = point_of_no_return(attrs.evolve(LOCKSTEP, seed=0), throttling(), RARE)
    assert found.evidence.trials == FUTURES
    other = Scenario(ROOMY, [Burst("orders", 1)], faults=FaultPlan(messages=[["lost_delete"]]), seed=seed)
    assert (
        point_of_no_return(other, Oracle(invariant(processed_once_by_the_end), "orders"), RARE).evidence.trials
        == FUTURES
    )

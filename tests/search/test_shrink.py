import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chaosqs.invariants import NO_DEAD_LETTERING_BY_THROTTLING
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Steady, arrivals
from chaosqs.search.corpus import ScenarioGrid
from chaosqs.search.oracle import Oracle
from chaosqs.search.shrink import shrink, simpler
from chaosqs.search.simplicity import FAILING, HEALTHY, ON_THE_EDGE, complexity, strain
from chaosqs.strategies import scenarios
from tests.search.designs import ROOMY, STARVED, invariant, never_dead_lettered, processed_once

SIMPLEST = Scenario(ROOMY, [Burst("orders", 1)])
HARDER = (
    attrs.evolve(SIMPLEST, behaviours={"worker": Behaviour(seconds_per_batch=1)}),
    attrs.evolve(SIMPLEST, behaviours={"worker": Behaviour(seconds_per_batch=2.5)}),
    attrs.evolve(SIMPLEST, workload=[Burst("orders", 1, over=1)]),
    attrs.evolve(SIMPLEST, workload=[Steady("orders", per_second=1, seconds=1)]),
    attrs.evolve(SIMPLEST, workload=[Burst("orders", 2)]),
    attrs.evolve(SIMPLEST, workload=[Burst("orders", 1), Burst("orders", 1)]),
    attrs.evolve(SIMPLEST, behaviours={"worker": Behaviour(seconds_per_batch=4.999)}),
    attrs.evolve(SIMPLEST, behaviours={"worker": Behaviour(poison=[0])}),
    attrs.evolve(SIMPLEST, seed=1),
    attrs.evolve(SIMPLEST, faults=FaultPlan(messages=[["crash"]])),
    attrs.evolve(SIMPLEST, faults=FaultPlan(messages=[["crash"]], windows=[Window("crash", "", 0, 1)])),
)


def test_the_order_is_the_one_that_is_stated() -> None:
    """Faults weigh most, then seed, strain, messages, loads, their shape, behaviours, round numbers."""
    assert list(HARDER) == sorted(HARDER, key=complexity)
    assert complexity(SIMPLEST) < complexity(HARDER[0])


def test_strain_has_three_degrees() -> None:
    """Healthy, on the edge, failing: relative to the timeout, with a full batch."""
    for degree, behaviour in (
        (HEALTHY, Behaviour()),
        (HEALTHY, Behaviour(seconds_per_batch=4)),
        (ON_THE_EDGE, Behaviour(seconds_per_batch=4.001)),
        (FAILING, Behaviour(seconds_per_batch=5)),
        (FAILING, Behaviour(seconds_per_message=0.5)),
        (FAILING, Behaviour(error_rate=0.1)),
    ):
        assert strain(ROOMY, "worker", behaviour) == degree


@given(scenarios(ROOMY))
@settings(max_examples=50)
def test_every_step_fits_the_design(scenario: Scenario) -> None:
    """Each candidate of the shrinker is a scenario of the same design."""
    assert all(candidate.design == ROOMY for candidate in simpler(scenario, {}))


@given(scenarios(ROOMY), st.integers(1, 30))
@settings(max_examples=30)
def test_what_needs_messages_only_shrinks_to_messages_only(scenario: Scenario, needed: int) -> None:
    """Step by step, everything that the violation does not need disappears."""
    current, moved = scenario, True
    while moved:
        moved = False
        for candidate in simpler(current, {}):
            if complexity(candidate) < complexity(current) and len(arrivals(candidate.workload)) >= needed:
                current, moved = candidate, True
                break
    if len(arrivals(scenario.workload)) >= needed:
        assert current.faults == FaultPlan()
        assert current.seed == 0
        assert not current.behaviours
        assert len(arrivals(current.workload)) == needed


def test_a_grid_is_sorted_and_has_one_kind_of_scenario() -> None:
    """The calm scenarios are in the order of complexity, have the given number of messages, seed 0 and no faults."""
    grid = ScenarioGrid(ROOMY, "orders")
    for degree in (HEALTHY, ON_THE_EDGE, FAILING):
        variants = grid.variants(7, degree)
        assert variants == sorted(variants, key=complexity)
        assert all((variant.seed, variant.faults) == (0, FaultPlan()) for variant in variants)
        assert all(len(arrivals(variant.workload)) == 7 for variant in variants)
        assert {
            max((strain(ROOMY, *item) for item in variant.behaviours.items()), default=0) for variant in variants
        } == {degree}


def test_given_behaviours_leave_no_choice() -> None:
    """Where the user says how the function behaves, calm worlds differ in their workload only."""
    given_behaviours = {"worker": Behaviour(poison=[0])}
    variants = ScenarioGrid(ROOMY, "orders", given_behaviours).variants(3)
    assert variants
    assert all(variant.behaviours == given_behaviours for variant in variants)
    assert ScenarioGrid(ROOMY, "orders", given_behaviours).variants(3, FAILING) == []


def test_other_queues_share_the_load() -> None:
    """With several queues, calm worlds also spread the messages over all that are polled."""
    design = Design(
        [Queue("orders"), Queue("returns")],
        [Function("worker")],
        [EventSourceMapping("orders", "worker"), EventSourceMapping("returns", "worker")],
    )
    workloads = [variant.workload for variant in ScenarioGrid(design, "returns").variants(5)]
    assert (Burst("returns", 5),) in workloads
    assert (Burst("returns", 3), Burst("orders", 2)) in workloads


def test_the_answer_does_not_hang_on_where_one_starts() -> None:
    """Two scenarios that violate one invariant in calm worlds shrink to the same one."""
    luckier = attrs.evolve(STARVED, workload=[Burst("orders", 60)], seed=9)
    oracle = Oracle(NO_DEAD_LETTERING_BY_THROTTLING, "orders")
    assert oracle.violated(luckier)
    assert shrink(luckier, oracle) == shrink(STARVED, oracle)


@pytest.mark.parametrize(
    "plan",
    [
        pytest.param(
            FaultPlan(messages=[["ok"], ["slow", "lost_response"], ["lost_response"]]), marks=pytest.mark.deep
        ),
        FaultPlan(windows=[Window("lost_delete", "orders", 0, 60), Window("error", "", 1, 5)], banned=["crash"]),
    ],
    ids=["by message", "by window"],
)
def test_faults_shrink_to_one(plan: FaultPlan) -> None:
    """A violation that needs a fault ends with one fault of one message, whatever it was found with."""
    busy = {"worker": Behaviour(seconds_per_batch=1, spread=0.2)}
    scenario = Scenario(ROOMY, [Burst("orders", 20, at=30, over=60)], busy, plan, seed=3)
    oracle = Oracle(invariant(processed_once), "orders")
    assert oracle.violated(scenario)
    assert shrink(scenario, oracle) == Scenario(
        ROOMY, [Burst("orders", 1)], faults=FaultPlan(messages=[["lost_response"]])
    )


def test_a_failing_function_is_preferred_to_a_fault() -> None:
    """Where a function that fails by itself explains it, no fault from outside remains."""
    plan = FaultPlan(windows=[Window("crash", "", 0, 500)])
    oracle = Oracle(invariant(never_dead_lettered), "orders")
    shrunk = shrink(Scenario(ROOMY, [Burst("orders", 9)], faults=plan), oracle)
    assert shrunk == Scenario(ROOMY, [Burst("orders", 1)], {"worker": Behaviour(poison=[0])})

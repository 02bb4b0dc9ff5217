"""Trials that a fix must survive: the counterexample, its faults under load, and other faults."""

import attrs

from chaosqs.explain.fixes import FixValidation, validation_scenarios
from chaosqs.model.faults import FaultPlan
from chaosqs.model.message import Message
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, arrivals
from chaosqs.search.corpus import ScenarioGrid
from chaosqs.search.messages import shown_by
from chaosqs.search.oracle import Oracle
from chaosqs.strategies.messages import MessageSource
from tests.search.designs import ROOMY, STARVED, invariant, never_dead_lettered

PLAN = FaultPlan(messages=[["lost_delete"]])
FAULTY = Scenario(ROOMY, [Burst("orders", 1)], faults=PLAN)


def test_trials_are_as_many_as_were_asked_for() -> None:
    """The trials of a fix mix seed, calm worlds and drawn scenarios, always the same ones."""
    trials = validation_scenarios(STARVED, ScenarioGrid(STARVED.design, "orders"), 40)
    assert len(trials) == 40
    assert trials == validation_scenarios(STARVED, ScenarioGrid(STARVED.design, "orders"), 40)


def test_a_fix_meets_the_same_faults_and_others() -> None:
    """The same ones with other seeds and under large loads; and whatever else the search may draw."""
    trials = validation_scenarios(FAULTY, ScenarioGrid(ROOMY, "orders"), 40)
    same = [trial for trial in trials if trial.faults == PLAN]
    assert {trial.seed for trial in same} == set(range(10))
    assert max(len(arrivals(trial.workload)) for trial in same) == 60
    assert any(trial.faults not in {PLAN, FaultPlan()} for trial in trials)


def test_trials_have_the_messages_of_the_search() -> None:
    """Bodies that a handler never gets would make it fail, whatever the design."""
    source = MessageSource((Message(body='{"id": 1}'),))
    grid = ScenarioGrid(ROOMY, "orders", sources={"orders": source}, most=12)
    trials = validation_scenarios(
        attrs.evolve(FAULTY, workload=[Burst("orders", 1, messages=source.samples)]), grid, 40
    )
    assert all(load.messages for trial in trials for load in trial.workload if load.queue == "orders")
    assert max(len(arrivals([load])) for trial in trials for load in trial.workload) <= 12


def test_without_a_search_they_have_those_of_the_counterexample() -> None:
    """Poison messages count only if there are no others."""
    ordinary, odd = Message(body="{}"), Message(body="[]", note="another type")
    mixed = attrs.evolve(FAULTY, workload=[Burst("orders", 2, messages=[odd, ordinary])])
    assert shown_by(mixed)["orders"].samples == (ordinary,)
    alone = attrs.evolve(FAULTY, workload=[Burst("orders", 1, messages=[odd])])
    assert shown_by(alone)["orders"].samples == (odd,)
    assert shown_by(FAULTY) == {}


def test_what_hardly_helps_is_seen_soon() -> None:
    """A change that leaves the first few violations as they are is not tried on the others."""
    oracle = Oracle(invariant(never_dead_lettered), "orders")
    trials = FixValidation(oracle, [attrs.evolve(STARVED, seed=seed) for seed in range(20)])
    many = len(trials.violating)
    assert many > 8
    before = oracle.simulations
    assert trials.misses(STARVED.design) is None
    assert oracle.simulations - before == 8
    assert trials.remaining(STARVED.design) == many


def test_no_change_is_near_a_fix_where_no_trial_violates_the_invariant() -> None:
    """Of nothing that happened nothing is left: that recommends no change."""
    calm = Scenario(ROOMY, [Burst("orders", 1)])
    assert FixValidation(Oracle(invariant(never_dead_lettered), "orders"), [calm]).misses(ROOMY) is None

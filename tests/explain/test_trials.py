"""The trials of a claim: larger loads under other seeds, a search of the changed design, and what becomes worse."""

import attrs
import pytest

from chaosqs.explain.settings import DesignSetting, design_settings
from chaosqs.explain.trials import Trials, enlarged, factors
from chaosqs.invariants import NO_BYSTANDER_DEAD_LETTERED
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design
from chaosqs.model.faults import OK, FaultPlan
from chaosqs.model.history import History
from chaosqs.model.message import Message
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Verdict, Violation
from chaosqs.model.workload import Burst, Steady, arrivals
from chaosqs.search.corpus import ScenarioGrid
from chaosqs.search.oracle import Oracle, OutOfBudget
from chaosqs.strategies.messages import MessageSource
from tests.search.designs import ROOMY, invariant, promise

POISON = Scenario(ROOMY, [Burst("orders", 2)], {"worker": Behaviour(poison=(0,))})
PLAN = FaultPlan(messages=[["lost_delete"], [OK, "error"]], sends=[OK, "late_send"])


def trials_of(scenario: Scenario, oracle: Oracle, *, seeds: int = 20) -> Trials:
    """Return the trials of a counterexample."""
    return Trials(oracle, scenario, ScenarioGrid(scenario.design, "orders"), seeds, 2 * seeds)


@pytest.fixture(scope="module")
def poison() -> Trials:
    return trials_of(POISON, Oracle(NO_BYSTANDER_DEAD_LETTERED, "orders"))


def changed(name: str, value: int | None) -> Design:
    """Return ROOMY with another value of a setting."""
    return setting_of(name).write(ROOMY, value)


def setting_of(name: str) -> DesignSetting:
    """Return a setting by its name."""
    return next(setting for setting in design_settings(ROOMY, ROOMY.mappings[0]) if setting.name == name)


def too_many(history: History) -> Verdict:
    """Promise that at most 30 messages are sent, or that batches have one message."""
    broken = len(history.sent) > 30 and history.scenario.design.mappings[0].batch_size > 1
    return promise("few", [Violation("few", "Many.", 0, "orders", (), ())] if broken else [])


def test_larger_loads_come_in_the_same_time() -> None:
    """Ten times as many messages, with the share of poison messages that there was, and each fault once."""
    scenario = Scenario(
        ROOMY, [Burst("orders", 2, over=30), Steady("orders", 1, 2)], {"worker": Behaviour(poison=(0, 3))}, PLAN
    )
    larger = enlarged(scenario, 10)
    assert [len(arrivals([load])) for load in larger.workload] == [20, 20]
    assert larger.workload[0] == Burst("orders", 20, over=30)
    assert larger.behaviours["worker"].poison == (0, 30)
    assert larger.faults.outcome(0, 1) == "lost_delete"
    assert larger.faults.outcome(10, 2) == "error"
    assert (larger.faults.send_outcome(10), larger.faults.send_outcome(1)) == ("late_send", OK)
    assert sum(kind != OK for receives in larger.faults.messages for kind in receives) == 2


def test_a_load_is_multiplied_as_far_as_runs_may_have_messages() -> None:
    """The counterexample itself always counts."""
    assert factors(POISON, 400) == (1, 2, 5, 20)
    assert factors(POISON, 12) == (1, 2, 5)
    assert factors(POISON, 1) == (1,)


def test_the_population_has_larger_loads_over_time_and_at_once() -> None:
    """Each seed is used once."""
    spread = attrs.evolve(POISON, workload=[Burst("orders", 2, over=30)])
    population = trials_of(spread, Oracle(NO_BYSTANDER_DEAD_LETTERED, "orders")).population
    assert [test.seed for test in population] == list(range(20))
    assert {test.workload for test in population} == {
        (Burst("orders", 40),),
        *((Burst("orders", 2 * factor, over=30),) for factor in (1, 2, 5, 20)),
    }


def test_real_code_gets_no_larger_loads_than_its_search() -> None:
    """Its runs cost more."""
    source = MessageSource((Message(body='{"id": 1}'),))
    given = {"worker": Behaviour(handler="app:handler", code="src")}
    grid = ScenarioGrid(ROOMY, "orders", given, sources={"orders": source}, most=12)
    trials = Trials(Oracle(NO_BYSTANDER_DEAD_LETTERED, "orders"), POISON, grid, 20, 40)
    assert max(len(arrivals(test.workload)) for test in trials.population) == 10
    assert all(load.messages for case in trials.drawn(ROOMY, 10) for load in case.workload if load.queue == "orders")


def test_what_is_switched_off_has_a_price(poison: Trials) -> None:
    """Without any execution nothing is dead-lettered wrongly, and nothing is processed either."""
    for name, value in (("reserved_concurrency", 0), ("other_traffic", 1000)):
        assert poison.rejected(changed(name, value)) is False
        assert "not_processed" in poison.price(changed(name, value))
    assert poison.price(changed("batch_size", 1)) == ()


def test_a_claim_passes_seeds_and_a_search(poison: Trials) -> None:
    """With batches of one message no bystander is dead-lettered, in any trial."""
    found = poison.confirmed(changed("batch_size", 1))
    assert found is not None
    assert (found.evidence.violations, found.evidence.trials, found.cases, found.messages) == (0, 20, 40, 40)
    before = poison.oracle.simulations
    assert poison.confirmed(changed("batch_size", 1)) == found
    assert poison.oracle.simulations == before


def test_a_claim_that_only_the_counterexample_supports_is_refused() -> None:
    """A change that helps with 20 messages and not with 40 is rejected by a larger load, which then comes first."""
    oracle = Oracle(invariant(too_many), "orders")
    trials = trials_of(Scenario(ROOMY, [Burst("orders", 31)]), oracle)
    assert trials.rejected(changed("visibility_timeout", 90))
    assert trials.confirmed(changed("visibility_timeout", 90)) is None
    assert trials.confirmed(changed("batch_size", 1)) is not None


def test_rates_are_compared_until_they_differ_or_not(poison: Trials) -> None:
    """Few seeds are enough where nothing changes, and where the violation is gone."""
    same, order = poison.compared(ROOMY)
    assert order == 0
    assert same.trials < poison.base.trials
    gone, order = poison.compared(changed("batch_size", 1))
    assert (gone.violations, order) == (0, -1)
    assert gone.trials < poison.base.trials


def test_rare_violations_prove_nothing() -> None:
    """Where one seed in twenty violates, no violation in twenty was to be expected without a change as well."""

    def rare(history: History) -> Verdict:
        broken = history.scenario.seed == 4
        return promise("rare", [Violation("rare", "So.", 0, "orders", (), ())] if broken else [])

    trials = trials_of(attrs.evolve(POISON, seed=4), Oracle(invariant(rare), "orders"))
    assert trials.base.violations == 1
    assert not trials.excludes


def test_others_that_a_change_breaks_are_named(poison: Trials) -> None:
    """Only those that hold without it count."""
    assert poison.others_broken(ROOMY) == ()
    short = changed("retention_period", 60)
    assert set(poison.others_broken(short)) <= {"no-expiry-unseen", "dead-letter-queue-outlives-source"}


def test_trials_end_with_the_budget() -> None:
    """No simulation begins beyond the limit."""
    oracle = Oracle(NO_BYSTANDER_DEAD_LETTERED, "orders", limit=3)
    with pytest.raises(OutOfBudget):
        _ = trials_of(POISON, oracle).base
    assert oracle.simulations == 3

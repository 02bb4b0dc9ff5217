from collections.abc import Mapping
from typing import get_args

import attrs
import pytest
from hypothesis import given

from chaosqs.explain.explain import explain, without_one
from chaosqs.explain.settings import design_settings
from chaosqs.explain.trials import Trials
from chaosqs.invariants import (
    NO_BYSTANDER_DEAD_LETTERED,
    NO_DEAD_LETTERING_BY_THROTTLING,
    OURS,
    Invariant,
    bounded_retries,
    downstream_concurrency,
)
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, Queue
from chaosqs.model.explanation import Change, Explanation, Origin, Part, Setting, SettingPath
from chaosqs.model.faults import OK, Action, FaultPlan, Pause, Window
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.search.corpus import ScenarioGrid
from chaosqs.search.oracle import Oracle
from chaosqs.search.profiles import DEEP, QUICK, for_behaviours
from chaosqs.search.search import search
from chaosqs.search.simplicity import ending
from chaosqs.simulation.run import simulate
from chaosqs.strategies import fault_plans
from tests.search.designs import MAPPING, ROOMY, invariant, over_polling, processed_once
from tools.gallery_bugs import BUGS

THROTTLING = NO_DEAD_LETTERING_BY_THROTTLING
RESERVED = "functions[0].reserved_concurrency"
ORIGIN = Origin("a.yaml", 7, "X: 2")
BRIEF = attrs.evolve(QUICK, trials=20, draws=40)
BRIEFER = attrs.evolve(QUICK, trials=20, draws=10)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    found = search(over_polling(), MAPPING, THROTTLING, profile=QUICK).scenario
    assert found is not None
    return found


@pytest.fixture(scope="module")
def explanation(scenario: Scenario) -> Explanation:
    return explain(
        simulate(scenario), scenario.design.mappings[0], THROTTLING, profile=BRIEF, origins={RESERVED: ORIGIN}
    )


def by_name(explanation: Explanation) -> Mapping[str, Setting]:
    return {setting.path.attribute: setting for setting in explanation.settings}


def sides(setting: Setting) -> list[tuple[str, object]]:
    """Return the thresholds of a setting by side and value."""
    return [(threshold.side, threshold.value) for threshold in setting.thresholds]


def test_the_settings_that_matter_are_named(explanation: Explanation) -> None:
    """Over-polling hangs on four settings, and each says from where on it is no problem."""
    settings = by_name(explanation)
    for name in ("reserved_concurrency", "max_receive_count", "visibility_timeout", "maximum_concurrency"):
        assert settings[name].matters
    assert [each.side for each in settings["maximum_concurrency"].thresholds] == ["at_most"]


def test_the_settings_that_do_not_matter_are_named_too(explanation: Explanation) -> None:
    """With low, usual and high values of settings that are not involved, the violation stays."""
    settings = by_name(explanation)
    for name in ("receive_wait_time", "report_batch_item_failures", "delay"):
        assert not settings[name].matters
        assert settings[name].same_at


def test_thresholds_are_right(explanation: Explanation, scenario: Scenario) -> None:
    """Simulated anew: no trial violates the invariant at the value, and some do at a third of it."""
    trials = Trials(
        Oracle(THROTTLING, "orders"), scenario, ScenarioGrid(scenario.design, "orders"), BRIEF.trials, 2 * BRIEF.trials
    )
    known = {each.name: each for each in design_settings(scenario.design, scenario.design.mappings[0])}
    (threshold,) = by_name(explanation)["reserved_concurrency"].thresholds
    setting, edge = known["reserved_concurrency"], threshold.value
    assert isinstance(edge, int)
    assert trials.confirmed(setting.write(scenario.design, edge))
    assert trials.confirmed(setting.write(scenario.design, edge // 3)) is None
    assert (threshold.side, threshold.evidence.violations) == ("at_least", 0)
    assert (threshold.evidence.trials, threshold.cases) == (BRIEF.trials, 2 * BRIEF.trials)


def test_the_premises_are_thresholds_of_the_world(explanation: Explanation, scenario: Scenario) -> None:
    """With so many messages, and batches so long, it happens; with one message or some time less, it was not seen."""
    found = {premise.about: premise for premise in explanation.premises}
    assert found["messages"].safe == found["messages"].value - 1
    assert 0 < found["duration"].safe < found["duration"].value < 30
    oracle = Oracle(THROTTLING, "orders")
    (load,) = scenario.workload
    assert isinstance(load, Burst)
    fewer = attrs.evolve(scenario, workload=[attrs.evolve(load, count=int(found["messages"].safe))])
    assert not any(oracle.violated(attrs.evolve(ending(fewer), seed=seed)) for seed in range(BRIEF.trials))


def test_every_fix_has_its_price_and_its_settings(explanation: Explanation) -> None:
    """What to change is known setting by setting, and so is what it costs relative to before."""
    first = explanation.fixes[0]
    assert first.rules == ("MC-1", "MC-3")
    assert (first.price.concurrency, first.breaks) == (0, ())
    assert all(fix.price.drain is not None and fix.price.latency is not None for fix in explanation.fixes)


def test_it_was_avoidable_for_a_while(explanation: Explanation) -> None:
    """Over-polling needs bad luck again and again: there is a moment up to which it was not inevitable."""
    assert explanation.point_of_no_return is not None
    assert explanation.point_of_no_return.at is not None
    assert explanation.point_of_no_return.avoidable_at is not None


def test_origins_are_passed_on(explanation: Explanation) -> None:
    """Where a setting was read from is known by its path in the design."""
    assert by_name(explanation)["reserved_concurrency"].origin == ORIGIN
    assert by_name(explanation)["max_receive_count"].origin is None


def test_the_fix_of_the_literature_comes_first(explanation: Explanation) -> None:
    """A maximum concurrency that fits prevents over-polling (MC-4), and it is the smallest change."""
    limit = SettingPath("mapping", MAPPING, "maximum_concurrency")
    assert explanation.fixes[0].changes == (Change(limit, None, 2),)
    assert all(fix.prevents and fix.conclusive and fix.evidence.trials == BRIEF.trials for fix in explanation.fixes)


def test_no_fault_was_needed(explanation: Explanation) -> None:
    """A counterexample of the calm world needs no fault."""
    assert explanation.faults == ()


def test_the_rate_counts_seeds(explanation: Explanation) -> None:
    """The rate is of as many draws as the profile says, and the counterexample itself is among them."""
    assert explanation.rate is not None
    assert explanation.rate.trials == BRIEF.draws
    assert 1 <= explanation.rate.violations <= BRIEF.draws


def test_faults_that_do_not_matter_are_left_out() -> None:
    """Of two faults only the one without which nothing happens is kept, as a plan of its own."""
    plan = FaultPlan(messages=[["lost_delete"], ["ok", "throttled"]])
    scenario = Scenario(ROOMY, [Burst("orders", 1)], faults=plan)
    explained = explain(simulate(scenario), ROOMY.mappings[0], invariant(processed_once), profile=BRIEFER)
    assert explained.faults == (FaultPlan(messages=[["lost_delete"]]),)


def test_a_setting_that_switches_the_function_off_is_no_cure() -> None:
    """Nothing is processed with no execution at all, so that keeps no promise: it is not even tried."""
    scenario = Scenario(ROOMY, [Burst("orders", 2)], {"worker": Behaviour(poison=(0,))})
    settings = by_name(explain(simulate(scenario), ROOMY.mappings[0], NO_BYSTANDER_DEAD_LETTERED, profile=BRIEFER))
    assert sides(settings["batch_size"]) == [("at_most", 1)]
    assert not settings["reserved_concurrency"].matters
    assert not settings["other_traffic"].matters


def test_a_delay_that_only_puts_the_load_off_is_no_cure() -> None:
    """After five idle minutes fewer pollers wait for the load; it would do as well if it came that late by itself."""
    promised = downstream_concurrency(5)
    design = attrs.evolve(ROOMY, mappings=(attrs.evolve(ROOMY.mappings[0], batch_size=1),))
    history = simulate(Scenario(design, [Burst("orders", 6)]))
    settings = by_name(explain(history, design.mappings[0], promised, profile=BRIEFER))
    assert sides(settings["maximum_concurrency"]) == [("at_most", 5)]
    assert not settings["delay"].matters


def test_what_the_design_does_not_have_can_matter_too() -> None:
    """A redrive policy where there is none, and no filter where there is one."""
    poison = {"worker": Behaviour(poison=(0,))}
    without = Design([Queue("orders")], ROOMY.functions, ROOMY.mappings)
    scenario = Scenario(without, [Burst("orders", 1)], poison)
    explained = explain(simulate(scenario), without.mappings[0], bounded_retries(5), profile=BRIEFER)
    assert [setting.path.attribute for setting in explained.settings if setting.matters] == ["redrive"]
    assert explained.fixes[0].changes == (Change(SettingPath("queue", "orders", "redrive"), None, 5),)


def test_what_the_design_does_not_have_is_silent_otherwise(explanation: Explanation) -> None:
    """Nobody is told that it does not matter how many pollers would be provisioned."""
    assert "provisioned_pollers" not in by_name(explanation)
    paths = [setting.path for setting in explanation.settings]
    assert [path.name for path in paths if path.attribute == "retention_period"] == ["orders"]


@pytest.mark.parametrize("ours", OURS, ids=lambda ours: ours.name)
def test_what_no_design_can_break_is_not_explained_by_one(ours: Invariant) -> None:
    """A violation of such a promise has no settings to blame and no fixes: it is our own bug."""
    scenario = Scenario(ROOMY, [Burst("orders", 1)])
    assert explain(simulate(scenario), ROOMY.mappings[0], ours, profile=BRIEF) == Explanation(own_bug=True)


def test_our_own_invariants_are_those_that_the_gallery_calls_so() -> None:
    """Its pages say that no design breaks them."""
    assert {ours.name for ours in OURS} == set(BUGS)


PLAN = FaultPlan(
    messages=[["crash", OK, "error"], [OK]],
    windows=[Window("throttled", "worker", 20, 1.5), Window("error", "", 0, 1)],
    sends=[OK, "lost_send"],
    actions=[Action("redeploy", "worker", 5), Action("change", "orders", 60, "visibility_timeout", 30)],
    pauses=[Pause("orders→worker/1", 3, 1_000)],
)


def size(plan: FaultPlan) -> int:
    """Count what a plan says."""
    single = [kind for receives in (*plan.messages, plan.sends) for kind in receives if kind != OK]
    return len(single) + len(plan.windows) + len(plan.actions) + len(plan.pauses)


def test_a_fault_alone_is_where_it_was() -> None:
    """Each is a plan that says nothing else, of the same message and receive."""
    alone = [each for each, _ in without_one(PLAN)]
    assert alone[:3] == [
        FaultPlan(messages=[["crash"]]),
        FaultPlan(messages=[[OK, OK, "error"]]),
        FaultPlan(sends=[OK, "lost_send"]),
    ]
    assert [size(each) for each in alone] == [1] * 8


def test_the_others_stay_where_they_are() -> None:
    """A fault that is left out does not move the ones behind it."""
    (_, first), *_ = without_one(PLAN)
    assert first.messages == ((OK, OK, "error"), (OK,))
    assert (first.windows, first.sends, first.actions) == (PLAN.windows, PLAN.sends, PLAN.actions)


@given(fault_plans(ROOMY, points=["charge"], held=["worker"]))
def test_each_step_leaves_out_one_thing(plan: FaultPlan) -> None:
    """Each thing is left out once, and nothing else with it."""
    steps = list(without_one(plan))
    assert len(steps) == size(plan)
    assert all((size(alone), size(rest)) == (1, size(plan) - 1) for alone, rest in steps)


def test_limit_of_simulations_leaves_parts_unfinished(scenario: Scenario) -> None:
    """What was found within the limit is there, and the parts that need more are named."""
    history, mapping = simulate(scenario), scenario.design.mappings[0]
    brief = explain(history, mapping, THROTTLING, profile=attrs.evolve(BRIEF, explain_simulations=300))
    assert brief.rate is not None
    assert brief.fixes
    assert "settings" in brief.unfinished
    assert explain(history, mapping, THROTTLING, profile=attrs.evolve(BRIEF, explain_simulations=5)) == Explanation(
        unfinished=get_args(Part)
    )


def test_only_real_code_limits_the_simulations() -> None:
    """Modelled functions keep the profile; `deep` has no limit."""
    real = {"worker": Behaviour(handler="app:handler", code="src")}
    assert for_behaviours(QUICK, {"worker": Behaviour()}) == QUICK
    assert for_behaviours(DEEP, real) == DEEP
    assert for_behaviours(QUICK, real).explain_simulations == 200
    assert for_behaviours(BRIEF, real).trials == BRIEF.trials

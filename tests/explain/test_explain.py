import re
from collections.abc import Mapping

import attrs
import pytest

from chaosqs.explain.explain import explain
from chaosqs.explain.sampling import sample_of
from chaosqs.explain.settings import design_settings
from chaosqs.invariants import (
    NO_BYSTANDER_DEAD_LETTERED,
    NO_DEAD_LETTERING_BY_THROTTLING,
    OURS,
    Invariant,
    bounded_retries,
    downstream_concurrency,
)
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.counterexample import Change, Explanation, Setting
from chaosqs.model.design import Design, Queue
from chaosqs.model.faults import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.search.oracle import Oracle
from chaosqs.search.profiles import QUICK
from chaosqs.search.search import search
from tests.search.designs import MAPPING, ROOMY, invariant, over_polling, processed_once
from tools.gallery_bugs import BUGS

THROTTLING = NO_DEAD_LETTERING_BY_THROTTLING
RESERVED = "functions[0].reserved_concurrency"
BRIEF = attrs.evolve(QUICK, trials=20, draws=40)


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    found = search(over_polling(), MAPPING, THROTTLING, profile=QUICK).scenario
    assert found is not None
    return found


@pytest.fixture(scope="module")
def explanation(scenario: Scenario) -> Explanation:
    return explain(
        scenario, scenario.design.mappings[0], THROTTLING, profile=QUICK, origins={RESERVED: "a.yaml:7 X: 2"}
    )


def by_name(explanation: Explanation) -> Mapping[str, Setting]:
    return {setting.name: setting for setting in explanation.settings}


def test_the_settings_that_matter_are_named(explanation: Explanation) -> None:
    """Over-polling hangs on four settings, and each says from where on it is no problem."""
    settings = by_name(explanation)
    for name, text in (
        ("reserved_concurrency", "holds from"),
        ("max_receive_count", "holds from"),
        ("visibility_timeout", "holds from"),
        ("maximum_concurrency", "holds up to"),
    ):
        assert settings[name].matters
        assert settings[name].threshold.startswith(text)


def test_the_settings_that_do_not_matter_are_named_too(explanation: Explanation) -> None:
    """Of a setting without influence the reader learns that any value is as good."""
    settings = by_name(explanation)
    for name in ("batch_size", "memory", "receive_wait_time", "report_batch_item_failures", "delay"):
        assert not settings[name].matters
        assert settings[name].threshold == ""


def test_thresholds_are_right(explanation: Explanation, scenario: Scenario) -> None:
    """Simulated anew, each value that is named holds, and the one before it does not."""
    oracle = Oracle(THROTTLING, "orders")
    sample, _ = sample_of(scenario, oracle, QUICK.draws)
    by_dial = {
        design_setting.name: design_setting
        for design_setting in design_settings(scenario.design, scenario.design.mappings[0])
    }
    for setting in explanation.settings:
        found = re.fullmatch(r"holds (from|up to) (\d+)", setting.threshold)
        if found is None:
            continue
        edge, step = int(found[2]), -1 if found[1] == "from" else 1
        assert sample.surely(by_dial[setting.name], edge)
        assert not sample.surely(by_dial[setting.name], edge + step)
    assert {"reserved_concurrency", "batch_size", "max_receive_count"} <= set(by_name(explanation))


def test_every_fix_has_its_price_and_its_settings(explanation: Explanation) -> None:
    """What to change is known setting by setting, and so is what it costs relative to before."""
    first = explanation.fixes[0]
    assert first.changes == (Change(MAPPING, "maximum_concurrency", 2),)
    assert first.certain
    assert (first.concurrency, first.breaks) == (0, ())
    assert all(fix.drain is not None and fix.latency is not None for fix in explanation.fixes)


def test_it_was_avoidable_for_a_while(explanation: Explanation) -> None:
    """Over-polling needs bad luck again and again: there is a moment up to which it was not inevitable."""
    assert explanation.point_of_no_return is not None
    assert explanation.point_of_no_return.at is not None
    assert explanation.point_of_no_return.avoidable_at is not None


def test_origins_are_passed_on(explanation: Explanation) -> None:
    """Where a setting was read from is known by its path in the design."""
    assert by_name(explanation)["reserved_concurrency"].origin == "a.yaml:7 X: 2"
    assert by_name(explanation)["max_receive_count"].origin == ""


def test_the_fix_of_the_literature_comes_first(explanation: Explanation) -> None:
    """A maximum concurrency that fits prevents over-polling (MC-4), and it is the smallest change."""
    assert explanation.fixes[0].change == "maximum_concurrency = 2"
    assert all((fix.violated, fix.of) == (0, QUICK.trials) for fix in explanation.fixes)


def test_no_fault_was_needed(explanation: Explanation) -> None:
    """A counterexample of the calm world needs no fault."""
    assert explanation.faults == ()


def test_the_rate_counts_draws_of_luck(explanation: Explanation) -> None:
    """The rate is of as many draws as the profile says, and the counterexample itself is among them."""
    assert explanation.rate is not None
    assert explanation.rate.of == QUICK.draws
    assert 1 <= explanation.rate.violated <= QUICK.draws


def test_faults_that_do_not_matter_are_left_out() -> None:
    """Of two faults only the one without which nothing happens is named, as histories name it."""
    plan = FaultPlan(messages=[["lost_delete"], ["ok", "throttled"]])
    scenario = Scenario(ROOMY, [Burst("orders", 1)], faults=plan)
    explained = explain(scenario, ROOMY.mappings[0], invariant(processed_once), profile=QUICK)
    assert explained.faults == ("lost_delete at receive 1 of message 1",)


def test_a_setting_that_switches_the_function_off_is_no_cure() -> None:
    """Nothing is processed with no execution at all, so that keeps no promise: it is not even tried."""
    scenario = Scenario(ROOMY, [Burst("orders", 2)], {"worker": Behaviour(poison=(0,))})
    settings = by_name(explain(scenario, ROOMY.mappings[0], NO_BYSTANDER_DEAD_LETTERED, profile=BRIEF))
    assert settings["batch_size"].threshold == "holds up to 1"
    assert not settings["reserved_concurrency"].matters
    assert not settings["other_traffic"].matters


def test_a_delay_that_only_puts_the_load_off_is_no_cure() -> None:
    """After five idle minutes fewer pollers wait for the load; it would do as well if it came that late by itself."""
    promised = downstream_concurrency(5)
    design = attrs.evolve(ROOMY, mappings=(attrs.evolve(ROOMY.mappings[0], batch_size=1),))
    settings = by_name(explain(Scenario(design, [Burst("orders", 6)]), design.mappings[0], promised, profile=BRIEF))
    assert settings["maximum_concurrency"].threshold == "holds up to 5"
    assert not settings["delay"].matters


def test_what_the_design_does_not_have_can_matter_too() -> None:
    """A redrive policy where there is none, and no filter where there is one."""
    poison = {"worker": Behaviour(poison=(0,))}
    without = Design([Queue("orders")], ROOMY.functions, ROOMY.mappings)
    scenario = Scenario(without, [Burst("orders", 1)], poison)
    explained = explain(scenario, without.mappings[0], bounded_retries(5), profile=BRIEF)
    assert [setting.name for setting in explained.settings if setting.matters] == ["redrive"]
    assert explained.fixes[0].change == "redrive to a new dead-letter queue with max_receive_count = 5"
    assert explained.fixes[0].changes == (Change("orders", "redrive", 5),)


def test_what_the_design_does_not_have_is_silent_otherwise(explanation: Explanation) -> None:
    """Nobody is told that it does not matter how many pollers would be provisioned."""
    assert "provisioned_pollers" not in by_name(explanation)
    assert [setting.owner for setting in explanation.settings if setting.name == "retention_period"] == ["orders"]


@pytest.mark.parametrize("ours", OURS, ids=lambda ours: ours.name)
def test_what_no_design_can_break_is_not_explained_by_one(ours: Invariant) -> None:
    """A violation of such a promise has no settings to blame and no fixes: it is our own bug."""
    scenario = Scenario(ROOMY, [Burst("orders", 1)])
    assert explain(scenario, ROOMY.mappings[0], ours, profile=BRIEF) == Explanation(own_bug=True)


def test_our_own_promises_are_those_that_the_gallery_calls_so() -> None:
    """Its pages say that no design breaks them."""
    assert {ours.name for ours in OURS} == set(BUGS)

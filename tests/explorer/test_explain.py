import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosqs.explorer import QUICK, explain, search
from chaosqs.explorer.dials import Value, dials
from chaosqs.explorer.explain import threshold
from chaosqs.explorer.oracle import Oracle
from chaosqs.explorer.panel import panel_of
from chaosqs.explorer.trials import trial_scenarios
from chaosqs.invariants import NO_DEAD_LETTERING_BY_THROTTLING
from chaosqs.model.counterexample import Change, Explanation, Setting
from chaosqs.model.fault import FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from tests.explorer.designs import MAPPING, ROOMY, STARVED, invariant, over_polling, processed_once

THROTTLING = NO_DEAD_LETTERING_BY_THROTTLING
RESERVED = "functions[0].reserved_concurrency"


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
    for name in ("memory", "receive_wait_time", "report_batch_item_failures"):
        assert not settings[name].matters
        assert settings[name].threshold == ""


def test_thresholds_are_right(explanation: Explanation, scenario: Scenario) -> None:
    """Simulated anew, each value that is named holds, and the one before it does not."""
    oracle = Oracle(THROTTLING, "orders")
    panel, _ = panel_of(scenario, oracle, QUICK.draws)
    by_dial = {dial.name: dial for dial in dials(scenario.design, scenario.design.mappings[0])}
    for setting in explanation.settings:
        found = re.fullmatch(r"holds (from|up to) (\d+)", setting.threshold)
        if found is None or setting.name in {"delay", "retention_period"}:
            continue
        edge, step = int(found[2]), -1 if found[1] == "from" else 1
        assert panel.holds(by_dial[setting.name], edge)
        assert not panel.holds(by_dial[setting.name], edge + step)
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
    assert explanation.tipping is not None
    assert explanation.tipping.at is not None
    assert explanation.tipping.avoidable_at is not None


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


def test_trials_are_as_many_as_were_asked_for() -> None:
    """The trials of a fix mix luck, calm worlds and drawn scenarios, always the same ones."""
    trials = trial_scenarios(STARVED, STARVED.design.mappings[0], {}, 40)
    assert len(trials) == 40
    assert trials == trial_scenarios(STARVED, STARVED.design.mappings[0], {}, 40)


def test_every_dial_reads_what_it_has_written() -> None:
    """A dial turned to a value that AWS accepts stands at that value, and nothing else has changed."""
    design = ROOMY
    for dial in dials(design, design.mappings[0]):
        assert dial.write(design, dial.read(design)) == design
        for value in dial.ladder:
            try:
                turned = dial.write(design, value)
            except ValueError:
                continue
            assert dial.read(turned) == value
            assert dial.write(turned, dial.read(design)) == design


LADDER: tuple[Value, ...] = (1, 2, 3, 5, 8, 13, 40, 100, None)


def _rank(value: Value) -> float:
    return float("inf") if value is None else value


def _threshold(value: Value, edge: float, *, up: bool) -> str:
    """Ask for the threshold of a dial that holds from `edge` on, or up to it."""

    def holds(other: Value) -> bool:
        return _rank(other) >= edge if up else _rank(other) <= edge

    return threshold(value, {other: holds(other) for other in LADDER if other != value}, holds)


@given(st.integers(2, 100), st.data())
def test_a_threshold_upwards_is_exact(edge: int, data: st.DataObject) -> None:
    """The value named is the first that holds, on the ladder or between its steps."""
    value = data.draw(st.sampled_from([other for other in LADDER if other is not None and other < edge]))
    assert _threshold(value, edge, up=True) == f"holds from {edge}"


@given(st.integers(1, 99), st.data())
def test_a_threshold_downwards_is_exact(edge: int, data: st.DataObject) -> None:
    """The value named is the last that holds; from no limit at all, to the step."""
    value = data.draw(st.sampled_from([other for other in LADDER if other is not None and other > edge]))
    assert _threshold(value, edge, up=False) == f"holds up to {edge}"


def test_thresholds_in_words() -> None:
    """No limit, flags, gaps and no influence have texts of their own."""
    assert threshold(5, {1: False, None: True}, lambda _: None) == "holds without a limit"
    assert threshold(None, {2: True, 3: False}, lambda _: None) == "holds up to 2"
    assert threshold(value=False, answers={1: True}, holds=lambda _: None) == "holds with True"
    assert threshold(3, {1: True, 2: True, 4: True, 5: True}, lambda _: None) == "holds from 4 and up to 2"
    assert threshold(3, {1: False, 4: True, 5: False}, lambda _: None) == "holds at 4"
    assert threshold(3, {1: False, 4: False}, lambda _: None) == ""

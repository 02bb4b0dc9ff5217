"""The part of a setting: safe from a value, rarer, at a price, not involved; exact, and not by accident."""

from collections.abc import Callable

import pytest

from chaosqs.explain.settings import DesignSetting, design_settings
from chaosqs.explain.thresholds import premises, setting_role
from chaosqs.explain.trials import Trials
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.explanation import Setting, Value
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Verdict, Violation
from chaosqs.model.workload import Burst, Steady
from chaosqs.search.corpus import ScenarioGrid
from chaosqs.search.oracle import Oracle
from tests.search.designs import invariant, promise

DESIGN = Design(
    [Queue("orders", visibility_timeout=60, redrive=Redrive("dead", 3)), Queue("dead")],
    [Function("worker", timeout=5, reserved_concurrency=10)],
    [EventSourceMapping("orders", "worker", batch_size=5)],
)
Broken = Callable[[Scenario], bool]


def role(name: str, broken: Broken, design: Design = DESIGN, seed: int = 0) -> Setting | None:
    """Return the part of a setting where an invariant is violated in some scenarios."""

    def judge(history: History) -> Verdict:
        bad = broken(history.scenario)
        return promise("made-up", [Violation("made-up", "So.", 0, "orders", (), ())] if bad else [])

    setting = setting_named(name, design)
    scenario = Scenario(design, [Burst("orders", 1)], seed=seed)
    trials = Trials(Oracle(invariant(judge), "orders"), scenario, ScenarioGrid(design, "orders"), 20, 10)
    return setting_role(setting, trials, None)


def setting_named(name: str, design: Design) -> DesignSetting:
    """Return a setting by its name."""
    return next(each for each in design_settings(design, design.mappings[0]) if each.name == name)


def edges(found: Setting | None) -> list[tuple[str, Value]]:
    """Return the thresholds of a setting by side and value."""
    assert found is not None
    return [(threshold.side, threshold.value) for threshold in found.thresholds]


@pytest.mark.parametrize("edge", [61, 200, 599])
def test_a_threshold_upwards_is_exact(edge: int) -> None:
    """The value is the first that holds, among the candidate values or between two of them."""
    assert edges(role("visibility_timeout", lambda s: s.design.queues[0].visibility_timeout < edge)) == [
        ("at_least", edge)
    ]


@pytest.mark.parametrize("edge", [1, 3, 4])
def test_a_threshold_downwards_is_exact(edge: int) -> None:
    """The value is the last that holds."""
    assert edges(role("batch_size", lambda s: s.design.mappings[0].batch_size > edge)) == [("at_most", edge)]


def test_a_value_that_holds_between_two_that_fail_is_an_accident() -> None:
    """It is no range that a team should rely on."""
    found = role("batch_size", lambda s: s.design.mappings[0].batch_size not in {2, 3})
    assert edges(found) == []


def test_giving_up_sooner_is_no_cure() -> None:
    """Fewer receives end the trouble of a message, with the message."""
    found = role("max_receive_count", lambda s: receives(s) > 1)
    assert edges(found) == []
    assert found is not None
    assert not found.same_at


def receives(scenario: Scenario) -> int:
    """Return the max_receive_count of a scenario's queue."""
    redrive = scenario.design.queues[0].redrive
    return 0 if redrive is None else redrive.max_receive_count


def test_a_value_that_a_larger_load_breaks_is_not_safe() -> None:
    """With the counterexample's message 61 seconds suffice; with twenty it takes 200."""
    found = role("visibility_timeout", lambda s: s.design.queues[0].visibility_timeout < (200 if sent(s) > 1 else 61))
    assert edges(found) == [("at_least", 200)]


def sent(scenario: Scenario) -> int:
    """Return the number of messages of a scenario."""
    return sum(load.count for load in scenario.workload if isinstance(load, Burst))


def test_a_value_that_a_search_breaks_is_not_safe() -> None:
    """Where a drawn case violates the invariant with any value, the violation is at best rarer."""

    def broken(scenario: Scenario) -> bool:
        return scenario.design.queues[0].visibility_timeout < 100 or len(scenario.behaviours) > 0

    found = role("visibility_timeout", broken)
    assert edges(found) == []
    assert found is not None
    assert found.rarer is not None
    assert (found.rarer.present.violations, found.rarer.changed.violations) == (20, 0)


def test_a_setting_with_which_it_stays_is_not_involved() -> None:
    """A low, a usual and a high value were tried."""
    found = role("receive_wait_time", lambda _: True)
    assert found is not None
    assert not found.matters
    assert found.same_at == (1, 20)


def test_where_only_damage_moves_there_is_a_price() -> None:
    """No message is processed, or each comes later than the run lasts."""
    found = role("retention_period", lambda s: s.design.queues[0].retention_period > 60)
    assert found is not None
    assert not found.thresholds
    assert not found.same_at


def test_memory_is_of_use_for_throughput_alone() -> None:
    """Nothing is simulated for it."""
    found = role("memory", lambda _: True)
    assert found == Setting(setting_named("memory", DESIGN).setting, DESIGN.functions[0].memory)


def test_any_limit_where_there_was_none() -> None:
    """No number is an edge then."""
    free = Design(DESIGN.queues, [Function("worker", timeout=5)], DESIGN.mappings)
    found = role("maximum_concurrency", lambda s: s.design.mappings[0].maximum_concurrency is None, free)
    assert edges(found) == [("any", 1000)]
    assert found is not None
    assert found.edges == ()


def test_a_flag_is_turned() -> None:
    """Of two values the other one is tried."""
    found = role("report_batch_item_failures", lambda s: not s.design.mappings[0].report_batch_item_failures)
    assert edges(found) == [("at_least", True)]


def test_rare_violations_have_no_thresholds() -> None:
    """A change draws all chance anew, so that a violation of one seed goes away with any."""
    found = role("visibility_timeout", lambda s: s.seed == 4 and s.design == DESIGN, seed=4)
    assert found is not None
    assert not found.matters
    assert not found.same_at


# Premises -------------------------------------------------------------------------------------------------------------


def needed(broken: Broken, scenario: Scenario) -> list[tuple[str, float, float]]:
    """Return the premises besides the number of messages: kind, least value that is violated, nearest that is not."""

    def judge(history: History) -> Verdict:
        bad = broken(history.scenario)
        return promise("made-up", [Violation("made-up", "So.", 0, "", (), ())] if bad else [])

    queue = scenario.workload[0].queue
    grid = ScenarioGrid(scenario.design, queue)
    found = premises(Trials(Oracle(invariant(judge), queue), scenario, grid, 20, 10))
    return [(each.about, each.value, each.safe) for each in found if each.about != "messages"]


def test_a_steady_load_has_a_rate_and_a_length() -> None:
    """Each is lowered alone."""
    steady = Scenario(DESIGN, [Steady("orders", per_second=2, seconds=60)])

    def broken(scenario: Scenario) -> bool:
        load = scenario.workload[0]
        return isinstance(load, Steady) and load.per_second >= 0.7 and load.seconds >= 35

    assert needed(broken, steady) == [("rate", 0.7, 0.6), ("lasting", 40, 30)]


def test_the_size_of_bodies_is_a_premise() -> None:
    """To a kilobyte; not if small bodies do, too."""
    heavy = Scenario(DESIGN, [Burst("orders", 2, body_bytes=200_000)])
    ((about, value, safe),) = needed(lambda scenario: scenario.workload[0].body_bytes > 100_000, heavy)
    assert about == "size"
    assert safe <= 100_000 < value <= safe + 2 * 16_384
    assert needed(lambda _: True, heavy) == []


def test_sharing_a_group_is_a_premise() -> None:
    """Spread over twice as many groups, the messages do not meet."""
    design = Design([Queue("a.fifo")], [Function("worker")], [EventSourceMapping("a.fifo", "worker")])
    shared = Scenario(design, [Burst("a.fifo", 6, groups=1)])
    assert needed(lambda scenario: scenario.workload[0].groups < 3, shared) == [("groups", 2, 4)]
    assert needed(lambda _: True, shared) == []


def test_the_length_of_a_fault_is_a_premise() -> None:
    """A window that may be as short as it likes is none."""
    plan = FaultPlan(windows=[Window("throttled", "", 0, 300)])
    struck = Scenario(DESIGN, [Burst("orders", 1)], faults=plan)
    ((about, value, safe),) = needed(lambda scenario: scenario.faults.windows[0].seconds > 130, struck)
    assert about == "fault"
    assert safe <= 130 < value <= safe + 90
    assert needed(lambda _: True, struck) == []

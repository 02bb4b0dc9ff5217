"""Operator actions are checked when a scenario is made, each against the design that the ones before it leave."""

from __future__ import annotations

import pytest

from chaosqs.errors import InvalidScenario
from chaosqs.model.faults import Action, FaultPlan
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from tests.calibration.designs import one_mapping
from tests.simulation.operating import MAPPING, change


@pytest.mark.parametrize(
    ("action", "problem"),
    [
        (change("orders", 1, "visibility_timeout", 43_201), "value = 43201: must be a whole number from 0 to 43200"),
        (change("orders", 1, "visibility_timeout", None), "value = None: must be a whole number"),
        (Action("change", "orders", 1, "delay", value=True), "value = True: must be a whole number"),
        (change("orders", 1, "timeout", 5), "setting = 'timeout': must be 'visibility_timeout' or 'retention_period'"),
        (change("orders-dlq", 1, "max_receive_count", 5), "setting = 'max_receive_count': needs a redrive policy"),
        (change("orders", 1, "max_receive_count", 0), "value = 0: must be a whole number from 1 to 1000"),
        (change("orders", 1, "maximum_message_size", 1024), "value = 1024: must be at least 2000"),
        (
            change("worker", 1, "reserved_concurrency", 901),
            "value = 901: in total must leave 100 of the account's 1000",
        ),
        (change("worker", 1, "memory", 100), "value = 100: must be a whole number from 128 to 10240 MB"),
        (change("worker", 1, "name", 3), "setting = 'name': must be 'timeout' or 'memory'"),
        (change(MAPPING, 1, "batch_size", 11), "value = 11: mappings[0].maximum_batching_window = 0: must be at least"),
        (change(MAPPING, 1, "maximum_concurrency", 1), "value = 1: must be a whole number from 2 to 1000 invocations"),
        (change(MAPPING, 1, "enabled", 1), "value = 1: must be True or False"),
        (change("nobody", 1, "enabled", 1), "target = 'nobody': must be"),
        (Action("redrive", "orders", 1), "target = 'orders': must be the dead-letter queue of a queue"),
        (Action("redrive", "worker", 1), "target = 'worker': must be"),
        (Action("purge", "orders", -1), "at = -1: must be a number"),
    ],
)
def test_what_aws_would_refuse_is_refused_before_the_run(action: Action, problem: str) -> None:
    """Under the path of the action, with what would be right; the other actions are checked all the same."""
    design = one_mapping(timeout=5, receives=5)
    plan = FaultPlan(actions=[action, change("worker", 5, "timeout", 0)])
    with pytest.raises(InvalidScenario) as caught:
        Scenario(design, [Burst("orders", 1, body_bytes=2000)], faults=plan)
    first, second = caught.value.problems
    assert str(first).startswith(f"faults.actions[0].{problem}")
    assert str(second).startswith("faults.actions[1].value = 0: must be a whole number from 1 to 900 seconds")


def test_a_change_is_checked_against_what_the_ones_before_it_have_done() -> None:
    """In the order of time, not of the plan; one that is refused does nothing."""
    window, size = change(MAPPING, 1, "maximum_batching_window", 5), change(MAPPING, 2, "batch_size", 100)
    for plan in ([window, size], [size, window]):
        Scenario(one_mapping(), faults=FaultPlan(actions=plan))
    late = change(MAPPING, 3, "maximum_batching_window", 301)
    with pytest.raises(InvalidScenario, match=r"^faults\.actions\[0\]\.value = 301: [^\n]*$"):
        Scenario(one_mapping(), faults=FaultPlan(actions=[late, window, size]))


def test_EC_11_a_mapping_is_checked_when_it_changes_and_not_when_its_function_does() -> None:
    """The timeout is accepted; then AWS refuses each change of the mapping."""
    actions = [change("worker", 1, "timeout", 60)]
    Scenario(one_mapping(visibility=30), faults=FaultPlan(actions=actions))
    with pytest.raises(InvalidScenario, match=r"actions\[1\]\.value = 5: mappings\[0\]: Queue visibility timeout: 30"):
        Scenario(one_mapping(visibility=30), faults=FaultPlan(actions=[*actions, change(MAPPING, 2, "batch_size", 5)]))

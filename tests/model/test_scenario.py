"""A scenario fits its design, or says in all points why not."""

from __future__ import annotations

import pytest

from chaosqs.errors import InvalidScenario
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, Function, Queue
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.json import Json, migrated, structure
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from tests.model.helpers import changed, pairs

DESIGN = Design([Queue("orders", maximum_message_size=2048), Queue("orders.fifo")], [Function("worker")])


def refused(scenario: Scenario, **fields: object) -> list[tuple[str, str]]:
    with pytest.raises(InvalidScenario) as caught:
        changed(scenario, **fields).__attrs_post_init__()
    return pairs(caught.value)


def test_scenario_that_fits() -> None:
    """Bounds pass: the largest body, a group for a FIFO queue, faults on queues and functions."""
    scenario = Scenario(
        DESIGN,
        [Burst("orders", 1, body_bytes=2048), Burst("orders.fifo", 1, groups=1)],
        {"worker": Behaviour(1)},
        FaultPlan(windows=[Window("error", "worker", 0, 1), Window("lost_delete", "orders", 0, 1)]),
        seed=7,
        until=0,
    )
    assert scenario.behaviour("worker") == Behaviour(1)


def test_function_without_an_entry_behaves_by_default() -> None:
    """Nobody has to say what a function does."""
    assert Scenario(DESIGN).behaviour("worker") == Behaviour()


def test_SZ_3_body_fits_the_queue() -> None:
    """No message is larger than its queue allows."""
    with pytest.raises(InvalidScenario) as caught:
        Scenario(DESIGN, [Burst("orders", 1, body_bytes=2049)])
    assert pairs(caught.value) == [("workload[0].body_bytes", "SZ-3")]


def test_FF_2_fifo_messages_have_groups() -> None:
    """A FIFO queue takes no message without a group."""
    with pytest.raises(InvalidScenario) as caught:
        Scenario(DESIGN, [Burst("orders.fifo", 1)])
    assert pairs(caught.value) == [("workload[0].groups", "FF-2")]


def test_invalid_scenario_lists_everything_that_is_wrong() -> None:
    """One attempt shows all problems, each under its path."""
    with pytest.raises(InvalidScenario) as caught:
        Scenario(
            DESIGN,
            [Burst("orders", -1), Burst("nowhere", 1)],
            {"nobody": Behaviour(), "worker": Behaviour(error_rate=2)},
            FaultPlan([["fire"]]),
            seed=-1,
            until=-1,
            assumptions=Assumptions(long_poll=0),
        )
    assert [path for path, _ in pairs(caught.value)] == [
        "workload[0].count",
        "workload[1].queue",
        "behaviours['nobody']",
        "behaviours['worker'].error_rate",
        "faults.messages[0][0]",
        "seed",
        "until",
        "assumptions.long_poll",
    ]
    assert "must name a queue of the design: orders, orders.fifo" in str(caught.value)
    assert "must name a function of the design: worker" in str(caught.value)


def test_design_without_parts_says_so() -> None:
    """Where there is nothing to name, the message says that too."""
    with pytest.raises(InvalidScenario, match="must name a queue of the design: it has none"):
        Scenario(Design([]), [Burst("orders", 1)])
    with pytest.raises(InvalidScenario, match="must name a function of the design: it has none"):
        Scenario(Design([]), behaviours={"worker": Behaviour()})


@pytest.mark.parametrize("seed", [1.5, "7", True, None])
def test_seed_is_a_whole_number(seed: object) -> None:
    """A seed is a whole number from 0 on."""
    assert refused(Scenario(DESIGN), seed=seed) == [("seed", "")]


def test_until_is_finite() -> None:
    """A run ends."""
    assert refused(Scenario(DESIGN), until=float("inf")) == [("until", "")]


def test_order_of_behaviours_does_not_matter() -> None:
    """Equal scenarios print alike, whatever order their behaviours came in."""
    design = Design([], [Function("a"), Function("b")])
    one, other = {"a": Behaviour(1), "b": Behaviour(2)}, {"b": Behaviour(2), "a": Behaviour(1)}
    assert repr(Scenario(design, behaviours=one)) == repr(Scenario(design, behaviours=other))
    assert hash(Scenario(design, behaviours=one)) == hash(Scenario(design, behaviours=other))


def test_luck_is_the_former_name_of_the_seed() -> None:
    """Code of the first release still works, with a warning; the scenario prints and compares by its seed."""
    with pytest.warns(DeprecationWarning, match="seed"):
        former = Scenario(DESIGN, luck=3)
    assert (former, repr(former)) == (Scenario(DESIGN, seed=3), repr(Scenario(DESIGN, seed=3)))


def test_luck_beside_a_seed_is_refused() -> None:
    """Nobody can tell which of the two is meant."""
    with pytest.raises(InvalidScenario, match="luck = 3: is the former name of seed=4: pass only seed"):
        Scenario(DESIGN, seed=4, luck=3)
    with pytest.raises(InvalidScenario, match="luck"):
        Scenario(DESIGN, seed=0, luck=3)


@pytest.mark.parametrize("inner", [False, True])
def test_files_of_the_first_release_say_luck(*, inner: bool) -> None:
    """A scenario, and the one in a counterexample, get its value as their seed; both names in one file are refused."""
    scenario: dict[str, Json] = {"luck": 7}
    document: dict[str, Json] = {"chaosqs": 1, **({"scenario": scenario} if inner else scenario)}
    assert migrated(document) == ({"scenario": {"seed": 7}} if inner else {"seed": 7})
    scenario["seed"] = 1
    with pytest.raises(InvalidScenario, match="luck = 7: is the former name of seed: write only seed"):
        migrated({"chaosqs": 1, "scenario": scenario})


def test_files_of_today_are_told_the_present_name_of_luck() -> None:
    """A file that says `luck` is refused with the present name; the fields in memory are not offered as its fields."""
    with pytest.raises(InvalidScenario, match=r"^luck: is the former name of seed: write only seed$"):
        structure(Scenario, {"design": {"queues": []}, "luck": 7})
    with pytest.raises(InvalidScenario, match=r"lukc: unknown field: there are design, .*, seed, until, assumptions$"):
        structure(Scenario, {"design": {"queues": []}, "lukc": 7})

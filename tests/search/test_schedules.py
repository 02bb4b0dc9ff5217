"""The effect of a policy is reported as pauses, exactly; of all pauses that violate, the simplest are reported."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosqs.kernel.schedule import Pct, Policy, RandomWalk
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.faults import FaultPlan, Pause, Window
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.search.schedules import lifted, minimal, policies, scheduled, task_steps
from chaosqs.simulation.run import simulate
from tests.search.designs import over_polling

MAPPING = "orders→worker"
POLLED = Scenario(over_polling(), [Burst("orders", 12, over=1)], {"worker": Behaviour(seconds_per_batch=1)}, until=200)
PLAYED = Scenario(
    Design(
        queues=[Queue("orders")],
        functions=[Function("worker", timeout=5)],
        mappings=[EventSourceMapping("orders", "worker", batch_size=1)],
    ),
    [Burst("orders", 5, over=1)],
    {"worker": Behaviour(handler="tests.simulation.consumers:naps_twice")},
    until=60,
)
POLICIES: list[Policy] = [RandomWalk(3, share=50, longest=5), RandomWalk(4, 5, 100), Pct(5, depth=3), Pct(6, depth=9)]


def with_pauses(*pauses: Pause, scenario: Scenario = POLLED) -> Scenario:
    return attrs.evolve(scenario, faults=attrs.evolve(scenario.faults, pauses=pauses))


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("scenario", [POLLED, PLAYED, attrs.evolve(POLLED, seed=9), attrs.evolve(PLAYED, seed=9)])
def test_what_a_policy_did_replays_as_pauses(scenario: Scenario, policy: Policy) -> None:
    """The lifted scenario, without the policy, has the same history, byte for byte."""
    history = scheduled(scenario, policy)
    assert history.scenario.faults.pauses, "the policy held something"
    assert simulate(history.scenario).digest == history.digest != simulate(scenario).digest
    assert lifted(scenario, policy) == history.scenario


@given(st.integers(0, 1 << 20), st.integers(1, 100), st.integers(1, 50), st.integers(0, 255))
def test_any_walk_replays_as_pauses(walk: int, share: int, longest: int, seed: int) -> None:
    """Whatever it holds, and whatever the seed: `lifted` raises otherwise."""
    lifted(attrs.evolve(POLLED, seed=seed), RandomWalk(walk, share, longest))


def test_what_the_scenario_holds_itself_stays() -> None:
    """Its pauses come first, and are lifted with those of the policy; the rest of its plan is left as it is."""
    own = Pause(f"{MAPPING}/1", 1, 2)
    plan = FaultPlan(windows=[Window("throttled", "worker", 0, 1)], banned=["throttled"], heal_at=1, pauses=[own])
    found = lifted(attrs.evolve(POLLED, faults=plan), RandomWalk(3, share=50))
    assert own in found.faults.pauses
    assert len(found.faults.pauses) > 1
    assert attrs.evolve(found, faults=plan) == attrs.evolve(POLLED, faults=plan)
    assert attrs.evolve(found.faults, pauses=[own]) == plan


def test_pauses_that_did_nothing_are_left_out() -> None:
    """A lifted plan holds what had an effect, and nothing is held once the plan is healed."""
    idle = Pause(f"{MAPPING}/9", 700, 2)
    assert lifted(with_pauses(idle), RandomWalk(0)).faults.pauses == ()
    healed = attrs.evolve(POLLED, faults=FaultPlan(heal_at=0))
    assert lifted(healed, RandomWalk(3, share=100)) == healed


def test_without_a_policy_a_scenario_runs_as_it_says() -> None:
    """Then its history is that of `simulate`, and its own pauses stay even where they do nothing."""
    scenario = with_pauses(Pause(f"{MAPPING}/9", 700, 2))
    assert scheduled(scenario, None) == simulate(scenario)
    assert lifted(scenario, None) == scenario


def test_the_portfolio_is_a_quarter_each() -> None:
    """Nothing, change points for two depths, and walks of several kinds; another seed draws others, none is calm."""
    drawn = policies(1, 32)
    assert len(drawn) == 32
    assert [policy for policy in drawn if policy is None] == [None] * 8
    assert [policy.depth for policy in drawn if isinstance(policy, Pct)] == [2, 3] * 8
    assert len({(policy.share, policy.longest) for policy in drawn if isinstance(policy, RandomWalk)}) == 4
    seeds = {policy.seed for policy in (*drawn, *policies(2, 32)) if isinstance(policy, Pct | RandomWalk)}
    assert len(seeds) == 48
    assert 0 not in seeds
    assert policies(1, 8) == drawn[:8]


def test_the_steps_of_tasks_are_those_of_pollers_and_of_real_code() -> None:
    """A message takes its poller a receive, an invoke and a delete, its handler a begin and two waits."""
    steps = task_steps(attrs.evolve(PLAYED, workload=[Burst("orders", 1)]))
    assert steps.pop("worker#1") == 3
    assert steps == {f"{MAPPING}/{number}": 4 if number == 1 else 1 for number in range(1, 6)}


# The simplest


def asks_for(*wanted: Pause) -> Callable[[Scenario], bool]:
    """Return what a scenario violates that has, for each of these, a pause of the same step, as long or longer."""

    def violated(scenario: Scenario) -> bool:
        pauses = scenario.faults.pauses
        return all(
            any((had.task, had.step) == (want.task, want.step) and had.steps >= want.steps for had in pauses)
            for want in wanted
        )

    return violated


NOISE = [Pause(f"{MAPPING}/{number}", step, 7) for number in range(1, 5) for step in range(2, 5)]


def test_pauses_that_are_not_needed_go() -> None:
    """Even all of them."""
    assert minimal(with_pauses(*NOISE), lambda _: True, 100) == POLLED
    assert minimal(POLLED, lambda _: True, 0) == POLLED


@pytest.mark.parametrize("steps", [1, 2, 17, 99])
def test_one_pause_is_left_as_short_as_can_be(steps: int) -> None:
    """Among others, and longer than it need be."""
    wanted = Pause(f"{MAPPING}/5", 2, steps)
    found = minimal(with_pauses(*NOISE, attrs.evolve(wanted, steps=1 << 30)), asks_for(wanted), 500)
    assert found == with_pauses(wanted)


def test_of_many_places_the_shortest_hold_and_then_the_first_is_taken() -> None:
    """Not the one that was found."""
    one, other, third = Pause(f"{MAPPING}/3", 4, 9), Pause(f"{MAPPING}/2", 3, 5), Pause(f"{MAPPING}/1", 4, 5)
    violated = [asks_for(one), asks_for(other), asks_for(third)]
    for found in (one, other, third):
        smallest = minimal(with_pauses(*NOISE, found), lambda scenario: any(ask(scenario) for ask in violated), 500)
        assert smallest == with_pauses(other)


def test_two_pauses_stay_where_one_will_not_do() -> None:
    """Each as short as can be."""
    wanted = (Pause(f"{MAPPING}/1", 1, 2), Pause(f"{MAPPING}/5", 2, 4))
    longer = [attrs.evolve(pause, steps=50) for pause in wanted]
    assert minimal(with_pauses(*NOISE[:5], *longer), asks_for(*wanted), 2_000) == with_pauses(*wanted)


def test_two_pauses_become_one_where_that_will_do() -> None:
    """The search for one looks at every step of every task."""
    pair, single = asks_for(*NOISE[:2]), Pause(f"{MAPPING}/5", 1, 12)
    found = minimal(with_pauses(*NOISE), lambda scenario: pair(scenario) or asks_for(single)(scenario), 2_000)
    assert found == with_pauses(single)


@pytest.mark.parametrize("simulations", range(0, 60, 7))
def test_the_budget_is_kept(simulations: int) -> None:
    """What comes out when it is spent still violates."""
    wanted, asked = Pause(f"{MAPPING}/5", 2, 3), list[Scenario]()
    violates = asks_for(wanted)

    def violated(scenario: Scenario) -> bool:
        asked.append(scenario)
        return violates(scenario)

    assert violates(minimal(with_pauses(*NOISE, attrs.evolve(wanted, steps=50)), violated, simulations))
    assert len(asked) <= simulations

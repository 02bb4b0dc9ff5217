"""Pauses hold back steps for a time; policies are functions of their seeds."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosqs.kernel.event_queue import EventQueue, HoldingEventQueue
from chaosqs.kernel.schedule import AS_LONG_AS_ALLOWED, PRIORITIES, Pauses, Pct, RandomWalk
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.events import Deleted, InvocationEnded, InvocationStarted, Received
from chaosqs.model.faults import FaultPlan, Pause
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import Simulation, simulate

MAPPING = "orders→worker"
DESIGN = Design(
    queues=[Queue("orders")],
    functions=[Function("worker", timeout=5)],
    mappings=[EventSourceMapping("orders", "worker", batch_size=1)],
)
CALM = Scenario(DESIGN, [Burst("orders", 3)])


def paused(*pauses: Pause, heal_at: float | None = None, scenario: Scenario = CALM) -> Scenario:
    return attrs.evolve(scenario, faults=FaultPlan(pauses=pauses, heal_at=heal_at))


def order(event_queue: EventQueue, *entries: tuple[int, str, str]) -> list[tuple[int, str]]:
    """Take all steps, made of moment, name and task; return when which was taken."""
    seen: list[tuple[int, str]] = []
    for due, name, task in entries:
        event_queue.at(due, lambda name=name: seen.append((event_queue.now, name)), task)  # type: ignore[misc]
    while (step := event_queue.take_by(float("inf"))) is not None:
        step()
    return seen


def holding(*pauses: Pause, longest: int = 1000, heals: float = float("inf")) -> HoldingEventQueue:
    return HoldingEventQueue(seed=0, hold=Pauses(FaultPlan(pauses=pauses)).hold, longest=longest, heals=heals)


def test_a_task_waits_for_as_many_steps_of_others() -> None:
    """Counted from the moment at which its step comes up; time moves on as those take it."""
    event_queue = holding(Pause("a", 1, 2))
    seen = order(event_queue, (10, "a", "a"), (10, "b", "b"), (20, "clock", ""), (30, "c", "c"))
    assert seen == [(10, "b"), (20, "clock"), (20, "a"), (30, "c")]
    assert event_queue.pauses() == (Pause("a", 1, 2),)


def test_a_hold_of_one_step_turns_a_tie_round() -> None:
    """At one instant, whoever is next goes first."""
    assert order(holding(Pause("a", 1, 1)), (5, "a", "a"), (5, "b", "b")) == [(5, "b"), (5, "a")]


def test_a_hold_ends_after_the_longest_pause() -> None:
    """Before any other step of that moment; as a pause it is one step longer than what went first."""
    event_queue = holding(Pause("a", 1, 30), longest=100)
    seen = order(event_queue, (10, "a", "a"), (20, "b", "b"), (110, "c", "c"), (200, "d", "d"))
    assert seen == [(20, "b"), (110, "a"), (110, "c"), (200, "d")]
    assert event_queue.pauses() == (Pause("a", 1, 2),)


def test_a_hold_with_nobody_else_ends_after_the_longest_pause() -> None:
    """It is no deadlock."""
    event_queue = holding(Pause("a", 1, 1))
    assert event_queue.next_due() == float("inf")
    assert order(event_queue, (10, "a", "a")) == [(1010, "a")]


def test_a_task_does_not_overtake_itself() -> None:
    """What comes up for it meanwhile waits behind, and comes up in its order, before others of that instant."""
    event_queue = holding(Pause("a", 1, 3), Pause("a", 3, 1))
    entries = ((10, "a1", "a"), (11, "a2", "a"), (12, "b", "b"), (13, "a3", "a"), (14, "c", "c"), (15, "d", "d"))
    assert [name for _, name in order(event_queue, *entries, (15, "e", "e"))] == ["b", "c", "d", "a1", "a2", "e", "a3"]


def test_only_the_step_that_is_named_is_held() -> None:
    """Steps count from 1; the first of two pauses of one step decides."""
    event_queue = holding(Pause("a", 2, 1), Pause("a", 2, 5))
    entries = ((1, "a1", "a"), (2, "a2", "a"), (3, "b", "b"), (4, "c", "c"), (5, "a3", "a"))
    assert [name for _, name in order(event_queue, *entries)] == ["a1", "b", "a2", "c", "a3"]


def test_steps_of_nobody_are_never_held() -> None:
    """They are AWS's clock."""
    event_queue = HoldingEventQueue(seed=0, hold=RandomWalk(1, share=100).hold, longest=1000)
    assert order(event_queue, (1, "timer", ""), (2, "arrival", "")) == [(1, "timer"), (2, "arrival")]


def test_nothing_is_held_once_the_plan_is_healed() -> None:
    """Holds that go on end then, later ones do not begin."""
    event_queue = holding(Pause("a", 1, 9), Pause("b", 1, 9), heals=50)
    assert order(event_queue, (10, "a", "a"), (50, "b", "b"), (60, "c", "c")) == [(50, "a"), (50, "b"), (60, "c")]


def test_a_hold_without_effect_is_no_pause() -> None:
    """Where no time is allowed, nothing is held, and nothing told."""
    event_queue = holding(Pause("a", 1, 9), longest=0)
    assert order(event_queue, (10, "a", "a"), (10, "b", "b")) == [(10, "a"), (10, "b")]
    assert event_queue.pauses() == ()


def test_the_next_step_is_due_when_a_task_is_let_go() -> None:
    """So whoever asks waits long enough, and no longer."""
    event_queue = holding(Pause("a", 1, 9), longest=100)
    event_queue.at(10, lambda: None, "a")
    assert event_queue.next_due() == 10
    assert event_queue.take_by(50) is None
    assert event_queue.next_due() == 110
    event_queue.at(120, lambda: None)
    event_queue.take()()
    assert event_queue.now == 110


def test_a_scenario_without_pauses_has_the_plain_event_queue() -> None:
    """What is not asked for costs nothing."""
    assert type(Simulation.of(CALM).context.event_queue) is EventQueue
    assert type(Simulation.of(paused(Pause("worker#1", 1, 1))).context.event_queue) is HoldingEventQueue
    assert type(Simulation.of(CALM, RandomWalk(1)).context.event_queue) is HoldingEventQueue


def test_an_event_queue_without_holds_changes_nothing() -> None:
    """The same history, whatever the seed, under a policy that holds nothing."""
    for seed in range(5):
        scenario = attrs.evolve(CALM, seed=seed)
        nobody = paused(Pause("worker#1", 1, 1), scenario=scenario)
        assert simulate(nobody).digest == simulate(scenario).digest, "invocations of a model are no task"


# Whole runs


def test_a_poller_is_held_from_its_step_on() -> None:
    """Its first step is its first receive: the messages go to the others."""
    first = next(event for event in simulate(CALM).events if isinstance(event, Received))
    assert first.poller == 1
    events = simulate(paused(Pause(f"{MAPPING}/1", 1, 9))).events
    assert [event.poller for event in events if isinstance(event, Received)][:3] == [2, 3, 4]


def test_a_poller_can_be_held_before_its_delete() -> None:
    """Its third step is the delete: nothing else waits for it."""
    usual, held = (
        {event.messages: event.at for event in simulate(scenario).events if isinstance(event, Deleted)}
        for scenario in (CALM, paused(Pause(f"{MAPPING}/1", 3, 100)))
    )
    assert {messages: held[messages] - at for messages, at in usual.items()} == {(0,): 1000, (1,): 0, (2,): 0}


def test_the_longest_pause_is_an_assumption() -> None:
    """A pause lasts as long as the scenario assumes one may."""
    scenario = attrs.evolve(CALM, assumptions=Assumptions(longest_pause=7000))
    held = paused(Pause(f"{MAPPING}/1", 3, 100), scenario=scenario)
    assert max(event.at for event in simulate(held).events) - max(event.at for event in simulate(CALM).events) == 7000


def test_an_invocation_of_real_code_is_held_between_its_waits() -> None:
    """The time that it is held is its duration, as AWS would bill it; its timeout ends it all the same."""
    real = {"worker": Behaviour(handler="tests.simulation.consumers:naps")}
    scenario = Scenario(DESIGN, [Burst("orders", 1)], real, until=20)
    assert ended(scenario) == ("succeeded", 1000)
    assert ended(paused(Pause("worker#1", 2, 99), scenario=scenario)) == ("succeeded", 2000)
    patient = attrs.evolve(scenario, assumptions=Assumptions(longest_pause=60_000))
    assert ended(paused(Pause("worker#1", 2, 99), scenario=patient)) == ("timed_out", 5000)


def test_an_invocation_that_is_held_before_it_begins_has_its_whole_timeout() -> None:
    """Its first step is the call of the handler: until then it has not begun."""
    real = {"worker": Behaviour(handler="tests.simulation.consumers:naps")}
    assumed = Assumptions(longest_pause=60_000)
    scenario = Scenario(DESIGN, [Burst("orders", 1)], real, until=25, assumptions=assumed)
    assert ended(paused(Pause("worker#1", 1, 1 << 20), scenario=scenario, heal_at=20)) == ("succeeded", 1000)


def ended(scenario: Scenario) -> tuple[str, int]:
    event = next(event for event in simulate(scenario, verify=True).events if isinstance(event, InvocationEnded))
    return event.outcome, event.duration


def test_pauses_end_when_the_plan_heals() -> None:
    """A pause that is still to come does nothing then."""
    late = [Burst("orders", 3, at=2)]
    scenario = attrs.evolve(CALM, workload=late)
    pauses = tuple(Pause(f"{MAPPING}/{number}", step, 50) for number in range(1, 4) for step in range(2, 5))
    assert simulate(paused(*pauses, scenario=scenario)).digest != simulate(scenario).digest
    assert simulate(paused(*pauses, scenario=scenario, heal_at=1)).digest == simulate(scenario).digest


@pytest.mark.parametrize("seed", [0, 7])
def test_no_order_of_things_starts_a_message_twice_at_once(seed: int) -> None:
    """Holding everybody back loses nothing and repeats nothing: the visibility timeout covers it."""
    pauses = [Pause(f"{MAPPING}/{number}", step, 3) for number in range(1, 6) for step in range(1, 9)]
    history = simulate(paused(*pauses, scenario=attrs.evolve(CALM, seed=seed)), verify=True)
    assert sorted(event.messages for event in history.events if isinstance(event, InvocationStarted)) == [
        (0,), (1,), (2,)
    ]  # fmt: skip


# Policies


@given(st.integers(1, 1 << 32), st.text(max_size=8), st.integers(1, 99), st.integers(1, 999))
def test_policies_are_functions_of_their_seeds(seed: int, task: str, step: int, taken: int) -> None:
    """They keep within their bounds, and a walk does not depend on what else was held."""
    walk = RandomWalk(seed, share=50, longest=7)
    assert 0 <= walk.hold(task, step, taken) == RandomWalk(seed, 50, 7).hold(task, step, taken + 1) <= 7
    pct = Pct(seed, depth=3, length=500)
    assert pct.hold(task, step, taken) in {AS_LONG_AS_ALLOWED, *(PRIORITIES if step == 1 else [0])}


def test_seed_0_holds_nothing() -> None:
    """It is calm, as seed 0 is."""
    policies = (RandomWalk(0, share=100), Pct(0, depth=9, length=1))
    assert not any(policy.hold("a", step, step) for policy in policies for step in range(1, 100))


def test_a_walk_holds_its_share_of_the_steps_for_all_lengths() -> None:
    """Ten per cent, evenly up to the longest."""
    holds = [RandomWalk(seed).hold("worker#1", step, 0) for seed in range(1, 101) for step in range(1, 101)]
    lengths = [length for length in holds if length]
    assert len(lengths) == pytest.approx(1000, rel=0.15)
    assert {lengths.count(length) // 60 for length in range(1, 11)} <= {1, 2}


def test_pct_has_one_point_less_than_its_depth_anywhere_in_the_run() -> None:
    """At most the given number; two of them may coincide."""
    reached: set[int] = set()
    for seed in range(1, 300):
        points = {taken for taken in range(1, 21) if Pct(seed, depth=3, length=20).hold("a", 2, taken)}
        assert 1 <= len(points) <= 2
        reached |= points
    assert reached == set(range(1, 21))

"""Faults of pollers with a batch in hand, and of a mapping's life."""

from __future__ import annotations

import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.events import (
    Deleted,
    Held,
    InvocationStarted,
    Operated,
    PollersChanged,
    Received,
    Released,
    Throttled,
)
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.faults.faulted import (
    FIFO,
    FIRST,
    MAPPINGS,
    STANDARD,
    batches,
    design,
    faulted,
    named,
    only,
    receives,
    run,
    windowed,
)

QUEUES = pytest.mark.parametrize("queue", [STANDARD, FIFO])
MAPPING = MAPPINGS[STANDARD]


@QUEUES
def test_EP_13_a_poller_that_restarts_forgets_its_batch(queue: str) -> None:
    """Nothing is invoked; the poller goes on, and the messages come back when their visibility ends."""
    history = faulted("restart", 2, queue=queue)
    name = FIRST.format("restart")
    assert only(history, Released) == [Released(14, 3, MAPPINGS[queue], 1, (0, 1), "restarted", name)]
    assert receives(history) == [(0, (0, 1)), (30_000, (0, 1))]
    assert [delivery.ending for delivery in history.deliveries[0]] == ["lost", "processed"]


def test_a_restart_loses_what_the_poller_has_gathered_for_its_next_batch() -> None:
    """A payload that is full leaves messages over, which are in the poller's memory too."""
    load = Burst(STANDARD, 8, body_bytes=1_000_000)
    history = run(FaultPlan([["restart"]]), load, of=design(batch=10, window=1), seconds=0)
    (released,) = only(history, Released)
    assert released.messages == tuple(range(8))


def test_a_window_restarts_every_poller_while_it_lasts() -> None:
    """At each receive; after it they work."""
    history = windowed("restart", 0, 31, Burst(STANDARD, 1))
    assert [event.at for event in only(history, Released)] == [14, 30_014]
    assert batches(history) == [(60_014, (0,))]


@QUEUES
def test_EP_10_a_stalled_poller_invokes_ten_seconds_later(queue: str) -> None:
    """The batch is invoked as it is; its visibility runs."""
    history = faulted("stall", 2, queue=queue)
    name = FIRST.format("stall")
    assert only(history, Held) == [Held(0, 3, MAPPINGS[queue], 1, (0, 1), 10_000, name)]
    assert batches(history) == [(10_014, (0, 1))]
    assert len(receives(history)) == 1


@QUEUES
def test_a_batch_that_stalled_for_longer_than_its_visibility_is_invoked_once(queue: str) -> None:
    """Another poller has the messages again by then: both deliveries run."""
    history = run(FaultPlan(windows=[Window("stall", queue, 0, 32)]), Burst(queue, 1, groups=1), of=design(queue))
    assert [event.until for event in only(history, Held)] == [32_000, 32_000]
    assert batches(history) == [(32_014, (0,)), (32_014, (0,))]


def test_a_stall_of_a_window_ends_with_it_or_with_the_healing() -> None:
    """Whichever comes first."""
    assert batches(windowed("stall", 0, 20, Burst(STANDARD, 1))) == [(20_014, (0,))]
    assert batches(windowed("stall", 0, 20, Burst(STANDARD, 1), heal_at=4)) == [(4014, (0,))]


def test_a_stalled_batch_that_is_throttled_is_given_up_when_its_visibility_ends() -> None:
    """ES-8: a first attempt after that is the only one."""
    plan = FaultPlan([["stall"]], [Window("throttled", "", 0, 15), Window("stall", "", 0, 40)])
    scenario = Scenario(design(), [Burst(STANDARD, 1)], {"worker": Behaviour()}, plan)
    history = simulate(scenario)
    assert only(history, Throttled)[0].at == 10_014


# The life of a mapping


def operated(history: History) -> list[tuple[int, str, str]]:
    """Return when a mapping was enabled or disabled, and by which fault."""
    return [(event.at, event.value, event.fault) for event in only(history, Operated)]


@QUEUES
def test_EC_23_a_disabled_mapping_does_not_receive_until_the_window_ends(queue: str) -> None:
    """What comes meanwhile waits; then new pollers begin, numbered on."""
    mapping = MAPPINGS[queue]
    plan = FaultPlan(windows=[Window("disabled", mapping, 2, 10)])
    history = run(plan, Burst(queue, 2, at=5, groups=1), of=design(queue))
    name = f"disabled on {mapping} from 2 s for 10 s"
    assert only(history, Operated) == [
        Operated(2000, None, "change", mapping, "enabled", "False", name),
        Operated(12_000, None, "change", mapping, "enabled", "True", name),
    ]
    assert [(event.at, event.pollers, event.why) for event in only(history, PollersChanged)] == [
        (0, 5, "first pollers"),
        (12_000, 5, "first pollers"),
    ]
    assert [(event.at, event.poller, event.messages) for event in only(history, Received)] == [(12_000, 6, (0, 1))]


def test_EC_23_pollers_of_a_disabled_mapping_finish_what_they_carry() -> None:
    """A batch that runs when it is disabled is deleted as ever; the poller receives nothing more."""
    plan = FaultPlan(windows=[Window("disabled", "", 1, 20)])
    history = run(plan, Burst(STANDARD, 2, over=4), seconds=3)
    assert [event.at for event in only(history, Deleted)] == [3322, 24_072]
    assert [(event.at, event.poller) for event in only(history, Received)] == [(0, 1), (21_000, 6)]


def test_two_windows_that_overlap_disable_a_mapping_until_the_last_ends() -> None:
    """It is enabled once nobody forbids it."""
    plan = FaultPlan(windows=[Window("disabled", MAPPING, 0, 10), Window("disabled", "", 5, 10)])
    history = run(plan, Burst(STANDARD, 1, at=1))
    assert [(at, value) for at, value, _ in operated(history)] == [
        (0, "False"),
        (5000, "False"),
        (10_000, "True"),
        (15_000, "True"),
    ]
    assert receives(history) == [(15_000, (0,))]


def test_a_disabled_mapping_is_enabled_when_the_plan_heals() -> None:
    """A window that is open then ends; one that begins later never does."""
    plan = FaultPlan(windows=[Window("disabled", "", 0, 60), Window("disabled", "", 30, 60)], heal_at=7)
    history = run(plan, Burst(STANDARD, 1, at=1), Burst(STANDARD, 1, at=40))
    assert [(at, value) for at, value, _ in operated(history)] == [(0, "False"), (7000, "True")]
    assert receives(history) == [(7000, (0,)), (40_000, (1,))]


def test_ES_5_a_mapping_scales_down_to_its_fewest_pollers() -> None:
    """Those that wait go at once, the ones with the highest numbers; the others receive what comes."""
    plan = FaultPlan(windows=[Window("scale_down", MAPPING, 1, 10)])
    history = run(plan, Burst(STANDARD, 3, at=2, over=3), of=design(era="2025-11"))
    name = f"scale_down on {MAPPING} from 1 s for 10 s"
    changes = [(event.at, event.pollers, event.why, event.fault) for event in only(history, PollersChanged)]
    assert changes == [(0, 5, "first pollers", ""), (1000, 2, "fault", name)]
    assert [event.poller for event in only(history, Received)] == [1, 2, 1]


def test_busy_pollers_go_when_their_batches_are_done() -> None:
    """They finish; then only the fewest are left, and grow by the law where messages wait."""
    plan = FaultPlan(windows=[Window("scale_down", "", 1, 10)])
    load = [Burst(STANDARD, 5), Burst(STANDARD, 3, at=10, over=9)]
    history = run(plan, *load, of=design(era="2025-11", batch=1), seconds=3)
    assert [event.pollers for event in only(history, PollersChanged)] == [5, 2]
    assert [event.poller for event in only(history, Received)] == [1, 2, 3, 4, 5, 1, 2, 1]


def test_growth_calls_back_those_who_have_not_gone_yet() -> None:
    """So there are never more pollers at work than the law says."""
    plan = FaultPlan(windows=[Window("scale_down", "", 2, 10)])
    history = run(plan, Burst(STANDARD, 40), of=design(era="2025-11", batch=1, maximum=8), seconds=4)
    assert max(event.running for event in only(history, InvocationStarted)) == 8
    assert next(event.pollers for event in only(history, PollersChanged) if event.at >= 2000) == 5


@pytest.mark.parametrize("kind", ["disabled", "scale_down"])
def test_windows_that_change_nothing_are_not_recorded(kind: str) -> None:
    """One of no length, and one over a mapping that has its fewest pollers."""
    history = windowed(kind, 0, 0, Burst(STANDARD, 1))
    assert named(history) == set()
    if kind == "scale_down":
        assert named(windowed(kind, 0, 10, Burst(STANDARD, 1))) == set()

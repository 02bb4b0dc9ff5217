"""The experiments and figures that the project was founded on come out of the fake."""

from __future__ import annotations

from itertools import pairwise

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.events import InvocationEnded, InvocationStarted, Received, Returned, Throttled
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.calibration.designs import middle, one_mapping, runs


def test_A1_throttles_over_a_drain_with_reserved_concurrency() -> None:
    """100 messages of ~20 s on 5 reserved executions: about 200 throttles, all processed, never more than 5 at once."""
    design = one_mapping(visibility=180, timeout=30, reserved=5, batch=1)
    histories = runs(design, Burst("orders", 100), Behaviour(seconds_per_batch=20, spread=0.1))
    assert 120 <= middle(histories, "functions", "worker", "Throttles") <= 300
    for history in histories:
        summary = history.summary()
        assert summary["messages"]["processed"] == 100
        assert summary["functions"]["worker"]["ConcurrentExecutions"] == 5
    assert middle(histories, "drained_at") >= 400


def test_A2_first_wave_takes_fifty_runs_three_batches_and_throttles_two() -> None:
    """A new mapping with 3 reserved executions in a flood: 5 pollers take 50, 3 batches run, 2 are throttled."""
    design = one_mapping(reserved=3, timeout=5)
    history = simulate(Scenario(design, [Burst("orders", 100)], {"worker": Behaviour(seconds_per_message=0.4)}))
    first_wave = [event for event in history.events if event.at < 500]
    assert [len(event.messages) for event in first_wave if isinstance(event, Received)] == [10] * 5
    assert sum(isinstance(event, InvocationStarted) for event in first_wave) == 3
    assert sum(isinstance(event, Throttled) for event in first_wave) == 2


def test_A3_ES_1_ES_11_five_pollers_first_and_no_growth_once_it_reacts_to_throttles() -> None:
    """A mapping begins with 5 pollers, and stops growing a while after Lambda has first refused it."""
    history = simulate(
        Scenario(one_mapping(reserved=1, timeout=10), [Burst("orders", 1000)], {"worker": Behaviour(5)}, until=60)
    )
    pollers = {event.poller for event in history.events if isinstance(event, Received)}
    later = {event.poller for event in history.events if isinstance(event, Received) and event.at > 20_000}
    assumed = history.scenario.assumptions
    assert len([event for event in history.events if isinstance(event, Received) and event.at == 0]) == 5
    assert len(pollers) == 5 + assumed.throttle_reaction // 1000  # +60/min
    assert len(later) <= assumed.held_batches


def test_A6_retries_until_retention_ends() -> None:
    """A message that always fails, without a dead-letter queue, is tried about 240 times, once a visibility timeout."""
    design = one_mapping(visibility=1440, timeout=240, batch=1)
    history = simulate(Scenario(design, [Burst("orders", 1)], {"worker": Behaviour(poison=(0,))}))
    summary = history.summary()
    assert 239 <= summary["functions"]["worker"]["Invocations"] <= 241
    assert summary["messages"]["expired"] == 1
    starts = [event.at for event in history.events if isinstance(event, InvocationStarted)]
    assert {later - earlier for earlier, later in pairwise(starts)} == {1_440_000}


def test_A8_a_handler_near_the_visibility_timeout_runs_a_message_twice() -> None:
    """Visibility equal to the function timeout is not safe: polling and invoking take time of it, too."""
    design = one_mapping(visibility=30, timeout=30, receives=5)
    history = simulate(Scenario(design, [Burst("orders", 1)], {"worker": Behaviour(seconds_per_batch=29.99)}))
    runs_of_it = [event for event in history.events if isinstance(event, InvocationStarted)]
    assert len(runs_of_it) >= 2
    assert history.summary()["messages"]["processed_twice"] == 1
    assert runs_of_it[1].at < next(e.at for e in history.events if isinstance(e, InvocationEnded)), "both at once"


def test_A11_one_failing_message_brings_the_whole_batch_back() -> None:
    """Third of 5 fails, seventh of 10 fails: all of the batch return; with partial responses only the failing one."""
    for size, poison in ((5, 2), (10, 6)):
        design = one_mapping(batch=size)
        behaviour = {"worker": Behaviour(poison=(poison,))}
        history = simulate(Scenario(design, [Burst("orders", size)], behaviour, until=31))
        returned = [event.message for event in history.events if isinstance(event, Returned)]
        assert returned == list(range(size))
        partial = one_mapping(batch=size, partial=True)
        history = simulate(Scenario(partial, [Burst("orders", size)], behaviour, until=31))
        assert [event.message for event in history.events if isinstance(event, Returned)] == [poison]


def test_A15_a_failing_message_gets_exactly_max_receive_count_deliveries() -> None:
    """It is dead-lettered at the next receive, not before."""
    for receives in (1, 2, 3, 5):
        design = one_mapping(batch=1, receives=receives)
        history = simulate(Scenario(design, [Burst("orders", 1)], {"worker": Behaviour(poison=(0,))}))
        summary = history.summary()
        assert summary["functions"]["worker"]["Invocations"] == receives
        assert summary["messages"]["dead_lettered"] == 1
        assert history.dead_lettered[0].event.at == receives * 30_000


def test_A17_MC_4_maximum_concurrency_instead_of_reserved_concurrency_throttles_nothing() -> None:
    """The same number as maximum concurrency gives 0 throttles, as reserved concurrency it gives some."""
    load, behaviour = Burst("orders", 200), Behaviour(seconds_per_message=0.4, spread=0.2)
    capped = runs(one_mapping(timeout=10, maximum=3), load, behaviour)
    reserved = runs(one_mapping(timeout=10, reserved=3), load, behaviour)
    assert all(history.summary()["functions"]["worker"]["Throttles"] == 0 for history in capped)
    assert all(history.summary()["functions"]["worker"]["Throttles"] > 0 for history in reserved)
    assert all(history.summary()["functions"]["worker"]["ConcurrentExecutions"] <= 3 for history in capped)

"""Results of runs, and the prices of changes of a design."""

import attrs
import pytest

from chaosqs.invariants import (
    DEAD_LETTER_QUEUE_OUTLIVES_SOURCE,
    NO_CONCURRENT_PROCESSING,
    NO_EXPIRY_UNSEEN,
)
from chaosqs.invariants.redelivery import ordinary
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.model.workload import Burst
from chaosqs.search.oracle import AloneOutcomes, Oracle, RunResult
from chaosqs.simulation.run import simulate
from tests.search.designs import STARVED

BEFORE = RunResult(violated=True, served=5, processed=4, expired=1, unread=0, given_up=1, drained=60_000)
AFTER = attrs.evolve(BEFORE, violated=False)


def test_a_run_without_the_violation_is_a_cure() -> None:
    """Whatever else became better besides."""
    assert AFTER.cures(BEFORE)
    better = RunResult(violated=False, served=6, processed=6, expired=0, unread=0, given_up=0, drained=1)
    assert better.cures(BEFORE)


@pytest.mark.parametrize(
    "worse",
    [
        BEFORE,
        attrs.evolve(AFTER, served=4),
        attrs.evolve(AFTER, processed=3),
        attrs.evolve(AFTER, expired=2),
        attrs.evolve(AFTER, unread=1),
        attrs.evolve(AFTER, given_up=2),
        attrs.evolve(AFTER, drained=None),
    ],
)
def test_each_other_price_is_one_too_many(worse: RunResult) -> None:
    """One message less, one lost or given up more, or no end: that is no cure."""
    assert not worse.cures(BEFORE)


def test_a_difference_that_chance_explains_is_no_price() -> None:
    """Of 100 messages that fail in 60 draws, ten more may fail in 60 others; of none, not a single one."""
    before = attrs.evolve(BEFORE, served=500, processed=400, given_up=0)
    after = attrs.evolve(AFTER, served=500, processed=390, given_up=0)
    assert after.cures(before, by_chance=True)
    assert not after.cures(before)
    assert not attrs.evolve(after, processed=370).cures(before, by_chance=True)
    assert not attrs.evolve(after, given_up=1).cures(before, by_chance=True)


def test_several_runs_are_as_good_as_the_worst_of_them() -> None:
    """Messages add up; one violation is enough, and so is one run without an end."""
    both = AFTER + BEFORE
    assert (both.violated, both.served, both.drained) == (True, 10, 60_000)
    assert (AFTER + attrs.evolve(AFTER, drained=None)).drained is None


def test_who_expires_in_the_source_is_never_looked_at() -> None:
    """It is no better off than in a dead-letter queue that forgets it: receives that outlast retention cure nothing."""
    queues = [Queue("orders", retention_period=3600, redrive=Redrive("dlq", 5)), Queue("dlq", retention_period=3600)]
    design = Design(queues, [Function("worker", timeout=5)], [EventSourceMapping("orders", "worker")])
    scenario = Scenario(design, [Burst("orders", 1)], {"worker": Behaviour(poison=(0,))}, until=8_000)
    oracle = Oracle(DEAD_LETTER_QUEUE_OUTLIVES_SOURCE, "orders")
    patient = Design([attrs.evolve(queues[0], visibility_timeout=900), queues[1]], design.functions, design.mappings)
    before, after = oracle.result(scenario), oracle.result(attrs.evolve(scenario, design=patient))
    assert (before.violated, before.expired, before.unread) == (True, 1, 0)
    assert (after.violated, after.expired, after.unread) == (False, 1, 1)
    assert not after.cures(before)


def test_a_message_that_was_processed_is_given_up_where_it_is_dead_lettered() -> None:
    """A redrive policy ends what goes round, and dead-letters what was done."""
    design = Design(
        [Queue("orders", visibility_timeout=10, redrive=Redrive("dlq", 1)), Queue("dlq")],
        [Function("worker", timeout=10)],
        [EventSourceMapping("orders", "worker")],
    )
    scenario = Scenario(design, [Burst("orders", 1)], {"worker": Behaviour(seconds_per_batch=9.999)})
    found = Oracle(NO_CONCURRENT_PROCESSING, "orders").result(scenario)
    assert (found.violated, found.processed, found.given_up) == (False, 1, 1)


def test_served_are_the_messages_of_the_queue_in_question() -> None:
    """Another queue's do not count."""
    assert Oracle(NO_CONCURRENT_PROCESSING, "orders").result(STARVED).served > 0
    assert Oracle(NO_CONCURRENT_PROCESSING, "others").result(STARVED).served == 0


def _slow_start(visibility_timeout: int, fault: str) -> History:
    queue = Queue("orders", visibility_timeout=visibility_timeout, redrive=Redrive("dlq", 5))
    design = Design(
        [queue, Queue("dlq")], [Function("worker", timeout=60)], [EventSourceMapping("orders", "worker", batch_size=1)]
    )
    behaviours = {"worker": Behaviour(seconds_per_batch=59)}
    return simulate(Scenario(design, [Burst("orders", 1)], behaviours, FaultPlan(messages=[[fault]])))


@pytest.mark.parametrize("fault", ["cold_start", "stall"])
def test_a_fault_excuses_only_what_no_ordinary_setting_prevents(fault: str) -> None:
    """A visibility timeout of a second more than the function's does not bear a slow start; six times as long does."""
    history = _slow_start(61, fault)
    alone = NO_CONCURRENT_PROCESSING.judge(history)
    assert (alone.status, alone.violations, len(alone.excused)) == (Status.HOLDS, (), 1)
    settled = AloneOutcomes().settled(NO_CONCURRENT_PROCESSING, history)
    assert (settled.status, settled.excused) == (Status.VIOLATED, ())
    assert settled.violations[0].text.endswith(
        f"The fault {fault} at receive 1 of message 1 had its share, but an ordinary configuration bears it: "
        "visibility_timeout 360 instead of 61."
    )


@pytest.mark.parametrize(("visibility_timeout", "fault"), [(61, "duplicate"), (90, "duplicate"), (360, "duplicate")])
def test_what_an_ordinary_configuration_suffers_too_stays_excused(visibility_timeout: int, fault: str) -> None:
    """A replica that shows a message twice does so whatever the visibility timeout (OR-4)."""
    settled = AloneOutcomes().settled(NO_CONCURRENT_PROCESSING, _slow_start(visibility_timeout, fault))
    assert (settled.status, settled.violations, len(settled.excused)) == (Status.HOLDS, (), 1)


def _throttled_for(seconds: int, retention_period: int) -> History:
    queue = Queue("orders", retention_period=retention_period)
    design = Design([queue], [Function("worker")], [EventSourceMapping("orders", "worker")])
    window = Window("throttled", "", 0, seconds)
    return simulate(Scenario(design, [Burst("orders", 1)], faults=FaultPlan(windows=[window])))


def test_a_fault_that_outlasts_a_short_retention_is_no_excuse() -> None:
    """Kept for AWS's default of four days, the message is processed after the throttling."""
    history = _throttled_for(70, retention_period=60)
    assert NO_EXPIRY_UNSEEN.judge(history).excused == (
        "Message 1 expired in orders unseen, but: throttled from 0 s for 70 s",
    )
    (violation,) = AloneOutcomes().settled(NO_EXPIRY_UNSEEN, history).violations
    assert violation.text == (
        "Message 1 expired in orders although worker never saw it within its retention period of 60.0 s: it was "
        "received 2 times, and each time a fault kept it from worker (throttled from 0 s for 70 s). The fault "
        "throttled from 0 s for 70 s had its share, but an ordinary configuration bears it: retention_period 345,600 "
        "instead of 60."
    )


def test_an_ordinary_configuration_is_what_aws_advises() -> None:
    """Six timeouts and the window, five receives, partial batch responses; what has more keeps it."""
    design = Design(
        [Queue("a", redrive=Redrive("dlq", 2)), Queue("b", visibility_timeout=1_000), Queue("dlq")],
        [Function("worker", timeout=10)],
        [EventSourceMapping("a", "worker", maximum_batching_window=7), EventSourceMapping("b", "worker")],
    )
    usual = ordinary(design)
    assert [queue.visibility_timeout for queue in usual.queues] == [67, 1_000, 30]
    assert usual.queues[0].redrive == Redrive("dlq", 5)
    assert all(mapping.report_batch_item_failures for mapping in usual.mappings)
    assert ordinary(usual) == usual

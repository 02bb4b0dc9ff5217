"""Properties of all alternatives and functions: Hypothesis draws both."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from chaosqs.comparison.run import Journey, journey
from chaosqs.model.alternative import ALLOW, TERMINATE, Alternative, RateLimitedFront, SelfPolling, Stream
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import DeadLettered, Expired, InvocationEnded, InvocationStarted
from chaosqs.model.figures import Figures, Happened, figures
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load, Steady

ENDINGS = (Happened.PROCESSED, Happened.GIVEN_UP, Happened.DEAD_LETTERED, Happened.DISCARDED)

polling = st.builds(
    SelfPolling,
    st.just("orders"),
    st.just("worker"),
    chains=st.integers(1, 8),
    delete=st.sampled_from(["each", "batch"]),
    reserve=st.sampled_from([0, 3, 10, 900]),
    wait_time=st.sampled_from([20, 0, 1]),
    schedule=st.sampled_from([60, 90.5, 600]),
    lock=st.booleans(),
    recursive_loop=st.sampled_from([TERMINATE, ALLOW]),
)
fronts = st.builds(
    RateLimitedFront,
    st.just("worker"),
    requests_per_second=st.sampled_from([10_000, 5, 0.5]),
    burst=st.integers(1, 50),
    retries=st.integers(0, 12),
    integration_timeout=st.sampled_from([29, 1, 0.05]),
)
streams = st.builds(
    Stream,
    st.just("worker"),
    shards=st.integers(1, 6),
    batch_size=st.integers(1, 20),
    maximum_retry_attempts=st.sampled_from([-1, 0, 3]),
    maximum_record_age=st.sampled_from([-1, 60, 600]),
    bisect_batch_on_function_error=st.booleans(),
    on_failure_destination=st.booleans(),
)
behaviours = st.builds(
    Behaviour,
    seconds_per_message=st.sampled_from([0, 0.1, 2]),
    seconds_per_batch=st.sampled_from([0.05, 0, 1]),
    spread=st.sampled_from([0, 1.0]),
    error_rate=st.sampled_from([0, 0.3, 1]),
    poison=st.lists(st.integers(0, 20), max_size=2),
    memory_scales=st.booleans(),
) | st.sampled_from([Behaviour(1, poison=(2,), hangs=True), Behaviour(1, poison=(2,), crashes=True)])
loads: st.SearchStrategy[list[Load]] = st.lists(
    st.builds(Burst, st.just("orders"), st.integers(0, 40), at=st.sampled_from([0, 70]), groups=st.integers(0, 3))
    | st.builds(Steady, st.just("orders"), st.sampled_from([0.5, 5]), st.sampled_from([2, 90])),
    max_size=2,
)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """A queue that forgets after ten minutes, so that every run ends."""
    redrive = draw(st.sampled_from([None, Redrive("dlq", 2)]))
    reserved, timeout = draw(st.sampled_from([None, 0, 1, 3])), draw(st.sampled_from([3, 30]))
    visibility = draw(st.sampled_from([timeout, 60]))
    queue = Queue("orders", visibility_timeout=visibility, retention_period=600, redrive=redrive)
    function = Function("worker", timeout=timeout, reserved_concurrency=reserved)
    design = Design([queue, Queue("dlq")], [function], [EventSourceMapping("orders", "worker")])
    return Scenario(
        design,
        draw(loads),
        {"worker": draw(behaviours)},
        seed=draw(st.integers(0, 3)),
        until=draw(st.sampled_from([None, 100])),
    )


def over(done: Journey) -> set[int]:
    """Return the messages of which something has become."""
    found = {note.message for note in done.notes if note.what in ENDINGS}
    for event in done.history.events:
        if isinstance(event, InvocationEnded) and event.outcome == "succeeded":
            found.update(event.messages)
        elif isinstance(event, DeadLettered | Expired):
            found.add(event.message)
    return found


@settings(max_examples=100, deadline=None)
@given(scenarios(), polling | fronts | streams)
def test_every_message_is_accounted_for(scenario: Scenario, alternative: Alternative) -> None:
    """Sent is over or left, concurrency is kept, and the same arguments give the same run."""
    done, column = _run(scenario, alternative)
    assert _run(scenario, alternative)[1] == column
    assert column.sent - column.remaining <= len(over(done)) <= column.sent
    assert (column.drained_at is not None) >= (scenario.until is None)
    if column.drained_at is not None:
        assert column.remaining == 0
        assert len(over(done)) == column.sent
    reserved = scenario.design.function("worker").reserved_concurrency
    assert reserved is None or column.concurrent_executions <= reserved
    if isinstance(alternative, Stream):
        _assert_one_batch_a_shard(done)


def _run(scenario: Scenario, alternative: Alternative) -> tuple[Journey, Figures]:
    done = journey(scenario, alternative)
    return done, figures("", done.history, done.notes, pushed=isinstance(alternative, RateLimitedFront))


def _assert_one_batch_a_shard(done: Journey) -> None:
    running = Counter[int]()
    shard_of: dict[int, int] = {}
    for event in done.history.events:
        if isinstance(event, InvocationStarted):
            shard_of[event.invocation] = event.poller
            running[event.poller] += 1
            assert running[event.poller] == 1
        elif isinstance(event, InvocationEnded):
            running[shard_of[event.invocation]] -= 1

"""Pauses that double, the token bucket of a front, and Lambda's queue of events."""

from __future__ import annotations

import pytest

from chaosqs.lambda_.machines.asynchronous import OLDEST, AsynchronousEvent, InvocationChains, pause
from chaosqs.lambda_.machines.concurrency import RateLimiter
from chaosqs.model.alternative import RateLimitedFront, SelfPolling


def test_a_pause_doubles_up_to_its_limit() -> None:
    """The random share shortens it, never to nothing."""
    assert [pause(attempt, 1000, 5000) for attempt in range(1, 6)] == [1000, 2000, 4000, 5000, 5000]
    assert pause(3, 1000, 5000, 0.5) == 2000
    assert pause(1, 1000, 5000, 0) == 1
    assert pause(10_000, 1000, 5000) == 5000


def test_a_front_admits_a_burst_and_then_its_rate() -> None:
    """The bucket is full at first, refills evenly, and holds no more than the burst."""
    front = RateLimiter(RateLimitedFront("worker", 2.5, burst=3))
    assert [front.admits(now=0) for _ in range(4)] == [True, True, True, False]
    assert not front.admits(now=399)
    assert front.admits(now=400)
    assert [front.admits(now=60_000) for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize("rate", [0.001, 0.3, 7, 1000])
def test_a_front_never_admits_more_than_its_rate_allows(rate: float) -> None:
    """However often it is asked: the burst, and what has refilled since."""
    front, admitted = RateLimiter(RateLimitedFront("worker", rate, burst=2)), 0
    for now in range(0, 20_000, 10):
        admitted += front.admits(now=now)
    assert admitted == min(2000, int(2 + 19.99 * rate))


def test_a_client_gives_up_after_its_retries() -> None:
    """Two retries are three attempts; the pauses before them double."""
    front = RateLimiter(RateLimitedFront("worker", retries=2, retry_pause=1, retry_pause_limit=20))
    assert [front.pause(attempt, 1) for attempt in (1, 2, 3)] == [1000, 2000, None]


def test_an_event_is_tried_twice_more_after_errors() -> None:
    """After one and after two minutes."""
    event = AsynchronousEvent(1, 0)
    assert [event.after_error() for _ in range(3)] == [60_000, 120_000, None]


def test_a_throttled_event_is_tried_for_six_hours() -> None:
    """First after a second, then later and later, at least every five minutes."""
    event, now, waits = AsynchronousEvent(1, 0), 0, list[int]()
    while (wait := event.after_throttle(now=now)) is not None:
        waits.append(wait)
        now += wait
    assert waits[:4] == [1000, 2000, 4000, 8000]
    assert max(waits) == 300_000
    assert OLDEST - 300_000 <= now < OLDEST


def test_LX_16_the_guard_drops_the_seventeenth_invocation_of_a_chain() -> None:
    """Unless the function allows recursive loops."""
    event: AsynchronousEvent | None = AsynchronousEvent(1, 0)
    passes = 0
    while event is not None:
        passes = event.passes
        event = event.following(now=0, guarded=True)
    assert passes == 16
    assert AsynchronousEvent(1, 0, passes=16).following(now=0, guarded=False) is not None


def test_a_lock_keeps_the_schedule_from_adding_chains() -> None:
    """With it a start makes up for those that ended; without, each adds as many again."""
    locked, plain = (
        InvocationChains(SelfPolling("orders", "worker", 3)),
        InvocationChains(SelfPolling("orders", "worker", 2, lock=False)),
    )
    assert (locked.start(), locked.start()) == ([1, 2, 3], [])
    locked.end(2)
    assert locked.start() == [2]
    assert (plain.start(), plain.start()) == ([1, 2], [3, 4])
    assert list(plain.alive) == [1, 2, 3, 4]

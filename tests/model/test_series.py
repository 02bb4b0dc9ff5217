"""A metric over time: sums of counts, maxima of gauges."""

from __future__ import annotations

import pytest

from chaosqs.model.history import History
from chaosqs.model.metrics import GAUGES, QUEUE_COUNTS
from tests.invariants.builder import Story, orders_design


def busy_minute() -> History:
    """Two executions in the first minute, of which one goes on into the second, and none in the third."""
    story = Story(orders_design()).send(3)
    first, second = story.receive(0).start(), story.receive(1).start()
    story.at(30)
    first.finish().delete()
    story.at(70)
    second.finish().delete()
    return story.at(150).end()


def test_series_of_counts_are_sums() -> None:
    """A count is summed up over each period, and a period without any is 0."""
    history = busy_minute()
    assert history.series("NumberOfMessagesDeleted", "orders") == [(0, 1), (60, 1), (120, 0)]
    assert history.series("Invocations", "worker") == [(0, 2), (60, 0), (120, 0)]
    assert history.series("InvokedEventCount", "orders→worker", 150) == [(0, 2), (150, 0)]


def test_series_of_gauges_are_maxima() -> None:
    """A gauge holds on into the next period, and the maximum of each is told."""
    history = busy_minute()
    assert history.series("ConcurrentExecutions", "worker") == [(0, 2), (60, 1), (120, 0)]
    assert history.series("ApproximateNumberOfMessagesNotVisible", "orders") == [(0, 2), (60, 1), (120, 0)]
    assert history.series("ApproximateNumberOfMessagesVisible", "orders") == [(0, 3), (60, 1), (120, 1)]


def test_CW_17_series_of_durations_are_means() -> None:
    """The mean of the invocations that ended in a period, in milliseconds, and 0 where none did."""
    story = Story(orders_design()).send(3)
    batches = [story.receive(message).start() for message in range(3)]
    for seconds, batch in zip((10, 30, 70), batches, strict=True):
        story.at(seconds)
        batch.finish().delete()
    history = story.at(150).end()
    assert history.series("Duration", "worker") == [(0, 20_000), (60, 70_000), (120, 0)]
    ((_, mean),) = history.series("Duration", "worker", 200)
    assert mean == pytest.approx(110_000 / 3)
    assert history.summary()["functions"]["worker"]["Duration"] == pytest.approx(110_000 / 3)


def test_series_of_ages_grow() -> None:
    """The age of the oldest message grows with time, and falls when it leaves."""
    history = busy_minute()
    assert history.series("ApproximateAgeOfOldestMessage", "orders") == [(0, 60), (60, 120), (120, 150)]


def test_age_falls_when_the_oldest_leaves() -> None:
    """A sawtooth: the next one is younger."""
    story = Story(orders_design()).send().at(50).send()
    story.at(55).receive(0).start().finish().delete()
    assert story.at(100).end().series("ApproximateAgeOfOldestMessage", "orders", 20) == [
        (0, 20),
        (20, 40),
        (40, 55),
        (60, 30),
        (80, 50),
        (100, 50),
    ]


def test_series_agree_with_the_summary() -> None:
    """The sum of a count, and the maximum of a gauge, over all periods are what the summary says."""
    history = busy_minute()
    summary = history.summary()
    for metric in QUEUE_COUNTS[:3]:
        assert sum(value for _, value in history.series(metric, "orders", 7)) == summary["queues"]["orders"][metric]
    for gauge in GAUGES[2:]:
        assert max(value for _, value in history.series(gauge, "orders", 7)) == summary["queues"]["orders"][gauge]


def test_series_of_an_unknown_name() -> None:
    """A misspelt name is answered with those that exist."""
    with pytest.raises(ValueError, match="'nobody': the design has orders, orders-dlq, worker, orders→worker"):
        busy_minute().series("Throttles", "nobody")


def test_series_of_an_unknown_metric() -> None:
    """A misspelt metric is answered with those that exist."""
    with pytest.raises(ValueError, match="no metric is called 'Throttle': there are ConcurrentExecutions, "):
        busy_minute().series("Throttle", "worker")  # type: ignore[arg-type]


def test_series_of_no_period() -> None:
    """A period is at least a millisecond."""
    with pytest.raises(ValueError, match=r"period must be at least 0\.001 seconds, not 0"):
        busy_minute().series("Throttles", "worker", 0)

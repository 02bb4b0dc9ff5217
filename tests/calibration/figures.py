"""Every figure that the fake must give: what was seen or follows, what fits, and how it is read off a run."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from statistics import fmean, median

import attrs

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, Era, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import InvocationStarted, Received, Returned, Sent, Throttled
from chaosqs.model.history import History
from chaosqs.model.workload import Burst, Load, Steady
from chaosqs.simulation.run import simulate
from chaosqs.sqs.api.region import Accounts
from chaosqs.sqs.api.sqs import Sqs
from chaosqs.sqs.machines.queue_machine import Chance
from tests.calibration.designs import middle, once_each, one_mapping, runs, scenario, seeds
from tests.sqs.api.probe import queue

TRICKLE = Burst("orders", 300, over=3.5)
ONE_SECOND = Behaviour(seconds_per_message=1, seconds_per_batch=0)


@attrs.frozen
class Figure:
    """One figure of one row of the seeds (A) or of the published measurements (C)."""

    row: str
    configuration: str
    name: str
    seen: str
    """What was measured, or follows."""
    low: float
    high: float
    """What fits."""
    got: Callable[[], float] = attrs.field(repr=False)
    slow: bool = False
    """Whether it takes more than a few seconds."""


def once(design: Design, load: list[Load], behaviour: Behaviour, until: float | None = None) -> History:
    """Run one configuration where all is calm."""
    return simulate(scenario(design, load, behaviour, until=until))


@once_each
def a1() -> list[History]:
    """100 messages of about 20 s on 5 reserved executions."""
    design = one_mapping(visibility=180, timeout=30, reserved=5, batch=1)
    return runs(design, Burst("orders", 100), Behaviour(seconds_per_batch=20, spread=0.1))


def a2(kind: type[InvocationStarted | Throttled | Received]) -> float:
    """Count what happens in the first half second of a flood on 3 reserved executions."""
    history = once(one_mapping(reserved=3, timeout=5), [Burst("orders", 100)], Behaviour(0.4))
    wave = [event for event in history.events if isinstance(event, kind) and event.at < 500]
    return sum(len(event.messages) for event in wave) if kind is Received else len(wave)


def a3() -> float:
    """Receives at the moment at which a mapping begins."""
    history = once(one_mapping(reserved=1, timeout=10), [Burst("orders", 1000)], Behaviour(5), until=60)
    return sum(isinstance(event, Received) and event.at == 0 for event in history.events)


@once_each
def flood(**settings: int) -> list[History]:
    """A flood of 200 messages on few executions."""
    design = one_mapping(**{"timeout": 10, "receives": 3, "reserved": 2, **settings})  # type: ignore[arg-type]
    return runs(design, Burst("orders", 200), Behaviour(seconds_per_message=0.9))


def share_dead_lettered(**settings: int) -> float:
    """Return the share of draws in which a flood loses messages to throttling."""
    return fmean(history.summary()["messages"]["dead_lettered_by_throttling"] > 0 for history in flood(**settings))


def dead_lettered(**settings: int) -> float:
    """Return the mean number of messages that a flood loses to throttling."""
    return fmean(history.summary()["messages"]["dead_lettered_by_throttling"] for history in flood(**settings))


def a6() -> float:
    """Attempts of a message that always fails, until its retention ends."""
    design = one_mapping(visibility=1440, timeout=240, batch=1)
    history = once(design, [Burst("orders", 1)], Behaviour(poison=(0,)))
    return history.summary()["functions"]["worker"]["Invocations"]


def a7() -> float:
    """Return how often the age of the oldest message falls while a poison message goes round among others."""
    design = one_mapping(visibility=30, receives=10, batch=1)
    load: list[Load] = [Steady("orders", 0.2, 900)]
    history = once(design, load, Behaviour(poison=(3, 40, 80)), until=1200)
    ages = [age for _, age in history.series("ApproximateAgeOfOldestMessage", "orders", 30)]
    return sum(later < earlier - 60 for earlier, later in pairwise(ages))


def a8() -> float:
    """Executions of a message whose handler runs up to the visibility timeout."""
    design = one_mapping(visibility=30, timeout=30, receives=5)
    history = once(design, [Burst("orders", 1)], Behaviour(seconds_per_batch=29.99))
    return sum(isinstance(event, InvocationStarted) for event in history.events)


def a9(kilobytes: int) -> float:
    """Return the largest batch of large messages."""
    mapping = EventSourceMapping("orders", "worker", batch_size=10_000, maximum_batching_window=5)
    design = Design([Queue("orders", visibility_timeout=60)], [Function("worker", timeout=10)], [mapping])
    history = once(design, [Burst("orders", 120, body_bytes=kilobytes * 1024)], Behaviour(), until=30)
    return max(len(event.messages) for event in history.events if isinstance(event, InvocationStarted))


@once_each
def deep_backlog(count: int, era: Era) -> History:
    """Run a backlog that no limit holds back."""
    design = one_mapping(batch=1, era=era)
    until = None if count > 50_000 else 125
    return once(design, [Burst("orders", count)], Behaviour(seconds_per_batch=0.56), until=until)


def after_minutes(count: int, minutes: int, era: Era = "2018-06") -> float:
    """Return the concurrency of a deep backlog, 2 s after some minutes: the 7 seen first are 5 and 2 s of growth."""
    series = deep_backlog(count, era).series("ConcurrentExecutions", "worker", 1)
    return series[min(minutes * 60 + 2, len(series) - 1)][1]


def a11(size: int, poison: int) -> float:
    """Return how many messages of a batch come back after one of them failed."""
    history = once(one_mapping(batch=size), [Burst("orders", size)], Behaviour(poison=(poison,)), until=31)
    return sum(isinstance(event, Returned) for event in history.events)


def concurrency_with_errors(error_rate: float) -> float:
    """Return the peak of the concurrency in the last seconds of a backlog."""
    design = one_mapping(batch=1, timeout=10)
    behaviour = Behaviour(seconds_per_batch=1, error_rate=error_rate)
    history = simulate(scenario(design, [Burst("orders", 4000)], behaviour, seed=1, until=40))
    return history.series("ConcurrentExecutions", "worker", 5)[-2][1]


def throttles(reserved: int, count: int) -> float:
    """Return the throttles of a burst of short messages."""
    design = one_mapping(reserved=reserved, timeout=10, batch=1)
    return middle(runs(design, Burst("orders", count), Behaviour(1), 5), "functions", "worker", "Throttles")


def window_delay(window: int) -> float:
    """Return how long the first message of a trickle waits for its invocation."""
    mapping = EventSourceMapping("orders", "worker", batch_size=100, maximum_batching_window=window)
    design = Design([Queue("orders", visibility_timeout=300)], [Function("worker", timeout=10)], [mapping])
    history = once(design, [Steady("orders", 2, 60)], Behaviour(), until=120)
    return next(event.at for event in history.events if isinstance(event, InvocationStarted)) / 1000


def a15() -> float:
    """Deliveries of a message that always fails, with max_receive_count 4."""
    history = once(one_mapping(batch=1, receives=4), [Burst("orders", 1)], Behaviour(poison=(0,)))
    return history.summary()["functions"]["worker"]["Invocations"]


def a16(wait: int) -> float:
    """Return how many of 4 messages a poll of `wait` seconds finds, where a short one asks one server of two."""

    def half(queue: str, receives: int, *, short: bool) -> Chance:
        del queue, receives
        return Chance(servers=(True, False)) if short else Chance()

    orders = queue(Sqs(Accounts(chance=half)))
    for number in range(4):
        orders.send(str(number))
    return len(orders.bodies(WaitTimeSeconds=wait))


@once_each
def a17(*, capped: bool) -> list[History]:
    """A flood on 3 executions, by maximum concurrency or by reserved concurrency."""
    design = one_mapping(timeout=10, maximum=3) if capped else one_mapping(timeout=10, reserved=3)
    return runs(design, Burst("orders", 200), Behaviour(seconds_per_message=0.4, spread=0.2))


@once_each
def c1() -> list[History]:
    """A trickle of 300 messages of 1 s without a limit."""
    return runs(one_mapping(visibility=15, timeout=12, receives=1), TRICKLE, ONE_SECOND)


@once_each
def c2() -> list[History]:
    """The same on one reserved execution."""
    return runs(one_mapping(visibility=300, timeout=12, receives=1, reserved=1), TRICKLE, ONE_SECOND)


@once_each
def c3() -> list[History]:
    """The same in batches of one."""
    return runs(one_mapping(visibility=110, timeout=2, receives=1, reserved=1, batch=1), TRICKLE, ONE_SECOND)


@once_each
def c4() -> list[History]:
    """Eleven messages on one execution."""
    design = one_mapping(visibility=30, reserved=1, batch=1, era="2023-11")
    return runs(design, Burst("orders", 11), ONE_SECOND)


def c5() -> float:
    """Empty receives of an idle minute."""
    history = simulate(scenario(one_mapping(), [], Behaviour(), until=60))
    return history.summary()["queues"]["orders"]["NumberOfEmptyReceives"]


@once_each
def c6() -> list[int]:
    """Milliseconds from producer to handler, warm, one message at a time, sorted."""
    latencies: list[int] = []
    for seed in seeds():
        load: list[Load] = [Burst("orders", 100, over=500)]
        history = simulate(scenario(one_mapping(batch=1), load, Behaviour(), seed + 1))
        sent = {event.message: event.at for event in history.events if isinstance(event, Sent)}
        latencies += [
            event.at - sent[event.messages[0]]
            for event in history.events
            if isinstance(event, InvocationStarted) and not event.cold
        ]
    return sorted(latencies)


def percentile(share: float) -> float:
    """Return a percentile of the latencies."""
    return c6()[int(len(c6()) * share)]


@once_each
def c7(error_rate: float) -> tuple[float, float]:
    """Concurrency and messages done in the second half of 40 s of constant traffic."""
    design = one_mapping(visibility=60, timeout=10, batch=1, era="2025-11")
    behaviour = Behaviour(seconds_per_batch=0.05, error_rate=error_rate)
    history = simulate(scenario(design, [Steady("orders", 900, 40)], behaviour, seed=1, until=40))
    concurrency = [value for at, value in history.series("ConcurrentExecutions", "worker", 5) if at >= 20]
    done = [value for at, value in history.series("NumberOfMessagesDeleted", "orders", 5) if at >= 20]
    return median(concurrency[:-1]), fmean(done[:-1])


def _fifo(visibility: int, timeout: int, reserved: int | None, batch: int) -> Design:
    queue = Queue("orders.fifo", visibility_timeout=visibility, redrive=Redrive("orders-dlq.fifo", 1))
    return Design(
        [queue, Queue("orders-dlq.fifo")],
        [Function("worker", timeout=timeout, reserved_concurrency=reserved)],
        [EventSourceMapping("orders.fifo", "worker", batch_size=batch)],
        era="2018-06",
    )


@once_each
def c9() -> list[History]:
    """One message group of a FIFO queue: 300 messages over 3.5 s, a second each, up to ten in a batch."""
    load = Burst("orders.fifo", 300, over=3.5, groups=1)
    return runs(_fifo(15, 12, None, 10), load, Behaviour(seconds_per_message=1))


@once_each
def c10() -> list[History]:
    """Five message groups of a FIFO queue on one execution, in batches of one."""
    load = Burst("orders.fifo", 300, over=3.5, groups=5)
    return runs(_fifo(3, 2, 1, 1), load, ONE_SECOND)


def flight(histories: list[History], queue: str = "orders") -> float:
    """Return the most messages in flight."""
    return middle(histories, "queues", queue, "ApproximateNumberOfMessagesNotVisible")


def mean_batch(histories: list[History]) -> float:
    """Return the mean size of a batch."""
    polled = middle(histories, "mappings", "orders→worker", "PolledEventCount")
    return polled / middle(histories, "mappings", "orders→worker", "batches")


def mitigated() -> float:
    """Return the mean number of messages that the advised settings still lose to throttling: no fix (A5)."""
    design = one_mapping(visibility=60, timeout=10, receives=5, reserved=1, batch=1)
    histories = runs(design, Burst("orders", 300), Behaviour(seconds_per_batch=9.5))
    return fmean(history.summary()["messages"]["dead_lettered_by_throttling"] for history in histories)

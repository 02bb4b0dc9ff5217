"""Lambda by the ledger: who may execute, and what limits whom."""

from __future__ import annotations

import pytest

from chaosqs.esm.machines.scaling import SCALING_LIMITS
from chaosqs.lambda_.machines.concurrency import RESERVED, UNRESERVED
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue
from chaosqs.model.events import InvocationStarted, Received, Throttled
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst, Load, Steady
from chaosqs.simulation.run import simulate
from tests.calibration.designs import one_mapping


def run(design: Design, *loads: Load, seconds: float, until: float | None = None, seed: int = 0) -> History:
    """Run functions that take a given time for each batch."""
    behaviours = {function.name: Behaviour(seconds_per_batch=seconds) for function in design.functions}
    return simulate(Scenario(design, loads, behaviours, until=until, seed=seed))


def reasons(history: History) -> set[str]:
    """Return why there were throttles."""
    return {event.reason for event in history.events if isinstance(event, Throttled)}


def peak(history: History, function: str = "worker") -> float:
    """Return the most executions at once."""
    return history.summary()["functions"][function]["ConcurrentExecutions"]


def test_LC_1_concurrency_is_rate_times_duration() -> None:
    """Five messages a second that take two seconds each keep ten environments busy, each with one at a time."""
    history = run(one_mapping(batch=1, timeout=10, era="2025-11"), Steady("orders", 5, 120), seconds=2)
    settled = [value for _, value in history.series("ConcurrentExecutions", "worker", 1)[60:120]]
    assert 10 <= min(settled) <= max(settled) <= 12
    colds = sum(event.cold for event in history.events if isinstance(event, InvocationStarted))
    assert colds == peak(history)


@pytest.mark.parametrize(
    ("function", "maximum", "account", "limit", "why"),
    [
        (Function("worker", timeout=10), None, Account(12), 12, {UNRESERVED}),
        (Function("worker", timeout=10, reserved_concurrency=7), None, Account(), 7, {RESERVED}),
        (Function("worker", timeout=10), 6, Account(), 6, set[str]()),
    ],
    ids=["account", "reservation", "maximum_concurrency"],
)
def test_ES_4_what_limits_a_mapping(
    function: Function, maximum: int | None, account: Account, limit: int, why: set[str]
) -> None:
    """The account and a reservation by throttles, a maximum concurrency without any."""
    mapping = EventSourceMapping("orders", "worker", batch_size=1, maximum_concurrency=maximum)
    design = Design([Queue("orders")], [function], [mapping], account=account)
    history = run(design, Burst("orders", 200), seconds=3, until=20)
    assert peak(history) == limit
    assert reasons(history) == why


def test_ES_11_reading_does_not_look_at_the_reservation() -> None:
    """As many messages are taken at first with one execution reserved as with none."""

    def read(reserved: int | None) -> list[int]:
        history = run(one_mapping(timeout=10, reserved=reserved), Burst("orders", 100), seconds=5, until=4)
        return [len(event.messages) for event in history.events if isinstance(event, Received) and not event.at]

    assert read(1) == read(None) == [10] * 5


def test_ES_13_mappings_scale_alone_and_share_the_function() -> None:
    """Each begins with five pollers, and together they have the four executions."""
    queues = [Queue("orders"), Queue("returns")]
    mappings = [EventSourceMapping(queue.name, "worker", batch_size=1) for queue in queues]
    design = Design(queues, [Function("worker", timeout=10, reserved_concurrency=4)], mappings)
    history = run(design, Burst("orders", 20), Burst("returns", 20), seconds=2)
    first = [event.mapping for event in history.events if isinstance(event, Received) and not event.at]
    assert sorted(first) == ["orders→worker"] * 5 + ["returns→worker"] * 5
    assert peak(history) == 4
    assert reasons(history) == {RESERVED}
    assert history.summary()["messages"]["processed"] == 40


def test_MC_0_the_account_throttles_before_the_ceiling_is_reached() -> None:
    """1,250 pollers want 1,250 executions, and an account has 1,000."""
    assert SCALING_LIMITS["2025-11"].ceiling == 1250 > Account().concurrency
    design = one_mapping(visibility=900, timeout=900, batch=1, era="2025-11")
    history = run(design, Burst("orders", 1300), seconds=800, until=240)
    assert peak(history) == 1000
    assert reasons(history) == {UNRESERVED}


def test_MC_2_a_maximum_concurrency_reserves_nothing() -> None:
    """Below it a function is throttled that has fewer executions, or whose account others use."""
    few = one_mapping(timeout=10, batch=1, maximum=5, reserved=2)
    assert reasons(run(few, Burst("orders", 30), seconds=1)) == {RESERVED}
    mapping = EventSourceMapping("orders", "worker", batch_size=1, maximum_concurrency=5)
    busy = Design([Queue("orders")], [Function("worker", timeout=10)], [mapping], Account(100, other_traffic=98))
    assert reasons(run(busy, Burst("orders", 30), seconds=1)) == {UNRESERVED}


def test_MC_4_a_reservation_of_5_dead_letters_what_a_maximum_concurrency_of_5_does_not() -> None:
    """AWS's own demonstration of it."""

    def dead_lettered(*, reserved: int | None, maximum: int | None) -> list[int]:
        design = one_mapping(timeout=10, batch=1, receives=1, reserved=reserved, maximum=maximum, era="2023-11")
        runs = [run(design, Burst("orders", 200), seconds=9, seed=seed) for seed in range(3)]
        return [history.summary()["messages"]["dead_lettered"] for history in runs]

    assert min(dead_lettered(reserved=5, maximum=None)) > 0
    assert dead_lettered(reserved=5, maximum=5) == [0, 0, 0]

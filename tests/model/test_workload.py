"""When messages arrive, and in which order they are numbered."""

from __future__ import annotations

import pytest

from chaosqs.errors import Problem
from chaosqs.model.values import Checks
from chaosqs.model.workload import Arrival, Burst, Load, Steady, arrivals, check_load
from tests.model.helpers import NOT_WHOLE, changed


def moments(*loads: Load) -> list[int]:
    return [arrival.at for arrival in arrivals(loads)]


def test_burst_arrives_all_at_once() -> None:
    """Without `over` all messages of a burst come at the same moment."""
    assert moments(Burst("orders", 3, at=1.5)) == [1500, 1500, 1500]


def test_burst_is_spread_evenly() -> None:
    """Over ten seconds, five messages come every two seconds, the first one at once."""
    assert moments(Burst("orders", 5, over=10)) == [0, 2000, 4000, 6000, 8000]


def test_empty_burst() -> None:
    """No message is a valid workload."""
    assert moments(Burst("orders", 0, over=10)) == []


def test_steady_rate() -> None:
    """Two a second for three seconds are six messages, half a second apart."""
    assert moments(Steady("orders", per_second=2, seconds=3, at=1)) == [1000, 1500, 2000, 2500, 3000, 3500]


def test_moments_do_not_drift() -> None:
    """The last of many messages comes when it should: rounding does not add up."""
    assert moments(Steady("orders", per_second=3, seconds=1000))[-1] == 999_667


def test_messages_are_numbered_in_the_order_of_sending() -> None:
    """Loads are merged by time; at one moment the order of the workload holds."""
    merged = arrivals([Burst("orders", 2, at=1), Burst("returns", 1), Burst("audits", 1, at=1)])
    assert [(arrival.at, arrival.queue) for arrival in merged] == [
        (0, "returns"),
        (1000, "orders"),
        (1000, "orders"),
        (1000, "audits"),
    ]


def test_FQ_1_groups_go_round() -> None:
    """Message groups take turns; without groups a message has none."""
    assert [arrival.group for arrival in arrivals([Burst("orders", 3, groups=2)])] == ["group-0", "group-1", "group-0"]
    assert arrivals([Burst("orders", 1, body_bytes=7)]) == [Arrival(0, "orders", 7, "")]


def refused(load: Load) -> list[str]:
    problems: list[Problem] = []
    check_load(Checks("workload[0]", problems), load)
    return [problem.path.removeprefix("workload[0].") for problem in problems]


@pytest.mark.parametrize(
    "load",
    [
        Burst("orders", 0),
        Burst("orders", 1_000_000, over=0.5, body_bytes=1, groups=7),
        Steady("orders", 0.001, 0, body_bytes=1_048_576),
        Steady("orders", 100_000, 1_209_600),
    ],
)
def test_bounds_are_accepted(load: Load) -> None:
    """The last valid values pass."""
    assert refused(load) == []


@pytest.mark.parametrize(
    ("load", "field"),
    [
        (Burst("orders", -1), "count"),
        (Burst("orders", 1_000_001), "count"),
        (Burst("orders", 1, over=-1), "over"),
        (Burst("orders", 1, at=float("inf")), "at"),
        (Burst("orders", 1, at=float("nan")), "at"),
        (Burst("orders", 1, groups=-1), "groups"),
        (Burst("orders", 1, body_bytes=0), "body_bytes"),
        (Burst("orders", 1, body_bytes=1_048_577), "body_bytes"),
        (Steady("orders", 0, 1), "per_second"),
        (Steady("orders", -1, 1), "per_second"),
        (Steady("orders", 100_001, 1), "per_second"),
        (Steady("orders", 1, -1), "seconds"),
        (Steady("orders", 1, 1_209_601), "seconds"),
        (Steady("orders", 1, 1, at=-0.001), "at"),
    ],
)
def test_beyond_the_bounds_is_refused(load: Load, field: str) -> None:
    """One beyond is refused, under its path."""
    assert refused(load) == [field]


@pytest.mark.parametrize("wrong", NOT_WHOLE)
def test_count_is_a_whole_number(wrong: object) -> None:
    """Half a message is none."""
    assert refused(changed(Burst("orders", 1), count=wrong)) == ["count"]

"""Permission to execute: pools, provisioned environments, rates, and the reason of each refusal."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chaosqs.lambda_.machines.concurrency import (
    RATE,
    RESERVED,
    RESERVED_RATE,
    UNRESERVED,
    Environment,
    Executions,
    Rate,
    Refused,
)
from chaosqs.model.assumptions import Assumptions
from chaosqs.model.design import Account, Design, Era, Function

SECOND, MINUTE = 1000, 60_000


def executions(*functions: Function, account: Account | None = None, era: Era = "2025-11") -> Executions:
    """Return the executions of some functions, whose idle environments last a minute."""
    design = Design([], functions, account=account or Account(), era=era)
    return Executions(design, Assumptions(environment_lifetime=MINUTE))


def fill(room: Executions, name: str, *, now: int = 0) -> list[Environment]:
    """Start executions until one is refused."""
    started: list[Environment] = []
    while room.refuse(name, now=now) is None:
        started.append(room.start(name, now=now))
    return started


def free(room: Executions, name: str, started: list[Environment], *, now: int) -> None:
    """End executions, in their order."""
    for environment in started:
        room.end(name, environment, now=now, reusable=True)


def test_LC_3_LC_13_a_reservation_is_a_ceiling() -> None:
    """And has a reason of its own."""
    room = executions(Function("worker", reserved_concurrency=3))
    started = fill(room, "worker")
    assert len(started) == 3
    assert room.refuse("worker", now=0) == Refused(RESERVED, 3, 3)
    room.end("worker", started[0], now=1, reusable=True)
    assert room.refuse("worker", now=1) is None


def test_LC_3_a_reservation_is_a_guarantee() -> None:
    """What others use up is not part of it."""
    room = executions(Function("worker", reserved_concurrency=3), Function("auditor"), account=Account(103, 90))
    assert len(fill(room, "auditor")) == 10
    assert len(fill(room, "worker")) == 3


def test_LC_2_LC_13_the_unreserved_executions_are_shared() -> None:
    """All functions without a reservation, and the account's other traffic, share what no reservation has."""
    account = Account(concurrency=110, other_traffic=95)
    room = executions(Function("a"), Function("b"), Function("c", reserved_concurrency=10), account=account)
    room.start("a", now=0)
    assert len(fill(room, "b")) == 4
    assert room.refuse("a", now=0) == Refused(UNRESERVED, 5, 5)


def test_LC_5_a_reservation_of_zero_switches_the_function_off() -> None:
    """Every invocation is throttled, for ever."""
    room = executions(Function("worker", reserved_concurrency=0))
    assert room.refuse("worker", now=0) == Refused(RESERVED, 0, 0)
    assert room.refuse("worker", now=10**9) == Refused(RESERVED, 0, 0)


def test_LC_9_provisioned_environments_are_ready() -> None:
    """No cold start in them; beyond them normal environments are used, up to the reservation."""
    room = executions(Function("worker", reserved_concurrency=5, provisioned_concurrency=2))
    started = fill(room, "worker")
    assert [(environment.provisioned, environment.new) for environment in started] == [
        (True, False),
        (True, False),
        (False, True),
        (False, True),
        (False, True),
    ]
    assert room.refuse("worker", now=0) == Refused(RESERVED, 5, 5)


def test_LC_9_provisioned_environments_stay() -> None:
    """They are not recycled, and preferred to warm ones."""
    room = executions(Function("worker", provisioned_concurrency=1))
    started = [room.start("worker", now=0), room.start("worker", now=0)]
    free(room, "worker", started, now=1)
    again = room.start("worker", now=10 * MINUTE)
    assert again is started[0]
    assert not again.new
    assert room.start("worker", now=10 * MINUTE).new


def test_LC_9_what_is_provisioned_for_one_is_nobody_elses() -> None:
    """It is taken from what is unreserved, whether or not it is used."""
    account = Account(concurrency=10)
    room = executions(Function("worker", provisioned_concurrency=4), Function("auditor"), account=account)
    assert len(fill(room, "auditor")) == 6
    assert room.refuse("auditor", now=0) == Refused(UNRESERVED, 6, 6)
    assert len(fill(room, "worker")) == 4
    assert room.refuse("worker", now=0) == Refused(UNRESERVED, 10, 10)


def test_LC_8_ten_requests_a_second_for_each_reserved_execution() -> None:
    """More than that is throttled although an execution is free, with a reason of its own, and for a moment only."""
    room = executions(Function("worker", reserved_concurrency=2))
    for _ in range(20):
        room.end("worker", room.start("worker", now=0), now=0, reusable=True)
    assert room.refuse("worker", now=0) == Refused(RESERVED_RATE, 0, 2, by_rate=True)
    assert room.refuse("worker", now=49) is not None
    assert room.refuse("worker", now=50) is None


def test_LC_8_ten_requests_a_second_for_each_execution_of_the_account() -> None:
    """All functions without a reservation together."""
    room = executions(Function("a"), Function("b"), account=Account(concurrency=3))
    for name in ("a", "b") * 15:
        room.end(name, room.start(name, now=0), now=0, reusable=True)
    assert room.refuse("a", now=0) == Refused(RATE, 0, 3, by_rate=True)
    assert room.refuse("b", now=33) is not None
    assert room.refuse("b", now=34) is None


def test_LC_8_ten_requests_a_second_for_each_provisioned_environment() -> None:
    """Beyond that, normal environments serve; where there is no room for one, the rate is the reason."""
    room = executions(Function("worker", reserved_concurrency=2, provisioned_concurrency=1))
    for _ in range(10):
        environment = room.start("worker", now=0)
        assert environment.provisioned
        room.end("worker", environment, now=0, reusable=True)
    assert not room.start("worker", now=0).provisioned
    assert room.refuse("worker", now=0) == Refused(RESERVED_RATE, 1, 1, by_rate=True)
    assert room.start("worker", now=100).provisioned


def test_LC_6_a_function_gets_1000_new_environments_in_10_seconds() -> None:
    """Then 100 a second, refilled continuously; another function has a rate of its own."""
    room = executions(Function("a"), Function("b"), account=Account(concurrency=5000))
    assert len(fill(room, "a")) == 1000
    assert room.refuse("a", now=0) == Refused(RATE, 1000, 5000, by_rate=True)
    assert room.refuse("b", now=0) is None
    assert len(fill(room, "a", now=10)) == 1
    assert len(fill(room, "a", now=SECOND)) == 99


def test_LC_6_what_is_not_used_is_not_saved_up() -> None:
    """After an hour of quiet it is 1,000 still."""
    room = executions(Function("worker"), account=Account(concurrency=5000))
    assert len(fill(room, "worker", now=3_600_000)) == 1000


def test_LC_6_warm_environments_cost_nothing_of_it() -> None:
    """Only growth is limited."""
    room = executions(Function("worker"), account=Account(concurrency=5000))
    free(room, "worker", fill(room, "worker"), now=0)
    assert len(fill(room, "worker", now=SECOND)) == 1100


def test_LC_7_before_2023_11_the_account_has_a_burst_of_3000() -> None:
    """All functions together; then 500 more a minute."""
    room = executions(Function("a"), Function("b"), account=Account(concurrency=9000), era="2018-06")
    assert len(fill(room, "a")) == 3000
    assert room.refuse("b", now=0) == Refused(UNRESERVED, 3000, 9000, by_rate=True)
    assert len(fill(room, "b", now=MINUTE)) == 500


def test_LX_13_the_environment_used_last_is_used_next() -> None:
    """So those that are not needed get idle, and go."""
    room = executions(Function("worker"))
    first, second = room.start("worker", now=0), room.start("worker", now=0)
    assert (first.number, first.new, second.number, second.new) == (1, True, 2, True)
    free(room, "worker", [second, first], now=10)
    assert room.start("worker", now=20) is first
    assert not first.new
    assert room.start("worker", now=20) is second


def test_LX_13_an_environment_goes_after_some_idle_time() -> None:
    """The assumed lifetime is the last moment at which it is there."""
    room = executions(Function("worker"))
    free(room, "worker", [room.start("worker", now=0)], now=5)
    warm = room.start("worker", now=5 + MINUTE)
    assert not warm.new
    free(room, "worker", [warm], now=2 * MINUTE)
    assert room.start("worker", now=3 * MINUTE + 1).new


def test_LX_14_a_crash_resets_the_environment() -> None:
    """The same one is used next, and is initialised again."""
    room = executions(Function("worker"))
    environment = room.start("worker", now=0)
    room.end("worker", environment, now=1, reusable=False)
    assert room.start("worker", now=2) is environment
    assert (environment.new, environment.reset) == (False, True)
    room.end("worker", environment, now=3, reusable=True)
    assert not environment.reset


def test_LC_9_provisioned_environments_that_work_stay_so_when_their_function_is_redeployed() -> None:
    """They leave as much room for others as before, and are there again when they are done."""
    functions = (Function("worker", provisioned_concurrency=2), Function("auditor"))
    room = executions(*functions, account=Account(concurrency=5))
    started = [room.start("worker", now=0) for _ in range(3)]
    for _ in range(2):
        room.redeploy(room.design)
        auditors = fill(room, "auditor")
        assert len(auditors) == 2, "5 less the 2 provisioned and the one beyond them"
        free(room, "auditor", auditors, now=0)
    free(room, "worker", started, now=1)
    assert len(fill(room, "auditor", now=2)) == 3
    assert [environment.provisioned for environment in fill(room, "worker", now=2)] == [True, True]


def test_LC_9_a_redeployment_may_provision_more_or_fewer() -> None:
    """What is beyond the new number goes: idle ones at once, busy ones are as any other."""
    room = executions(Function("worker", reserved_concurrency=4, provisioned_concurrency=3))
    started = [room.start("worker", now=0) for _ in range(2)]
    room.redeploy(Design([], [Function("worker", reserved_concurrency=4, provisioned_concurrency=1)]))
    assert [environment.provisioned for environment in started] == [True, False]
    assert [environment.provisioned for environment in fill(room, "worker")] == [False, False]
    room.redeploy(Design([], [Function("worker", reserved_concurrency=4, provisioned_concurrency=2)]))
    assert fill(room, "worker") == [], "a new one is ready, but four run"
    room.end("worker", started[1], now=1, reusable=True)
    assert [environment.provisioned for environment in fill(room, "worker", now=1)] == [True]


@given(
    width=st.integers(1, 50),
    refill=st.integers(1, 50),
    period=st.sampled_from((1, 7, 1000)),
    asks=st.lists(st.integers(0, 3000), min_size=1, max_size=60),
)
def test_a_rate_never_exceeds_its_width_and_refill(width: int, refill: int, period: int, asks: list[int]) -> None:
    """In any stretch of time, at most a full bucket and what has come in meanwhile."""
    rate, taken, now = Rate(width, refill, period), list[int](), 0
    for pause in asks:
        now += pause
        if rate.allows(now=now):
            rate.take()
            taken.append(now)
    for first, start in enumerate(taken):
        for last in range(first, len(taken)):
            assert last - first + 1 <= width + (taken[last] - start) * refill / period


names = st.sampled_from(("reserved", "provisioned", "both", "plain"))
moves = st.lists(st.tuples(names, st.booleans(), st.booleans(), st.integers(0, 200)), max_size=200)


@given(moves)
def test_LC_3_LC_9_the_books_are_right_whatever_happens(moves: list[tuple[str, bool, bool, int]]) -> None:
    """No pool is exceeded; a refusal counts what runs, and says that it is full exactly where it is."""
    functions = (
        Function("reserved", reserved_concurrency=2),
        Function("provisioned", provisioned_concurrency=2),
        Function("both", reserved_concurrency=3, provisioned_concurrency=1),
        Function("plain"),
    )
    room = executions(*functions, account=Account(concurrency=110, other_traffic=100))
    busy: dict[str, list[Environment]] = {function.name: [] for function in functions}
    now = 0
    for name, begin, reusable, pause in moves:
        now += pause
        pool = ("provisioned", "plain") if name in {"provisioned", "plain"} else (name,)
        if begin:
            refused = room.refuse(name, now=now)
            running = sum(len(busy[other]) for other in pool)
            if refused is None:
                busy[name].append(room.start(name, now=now))
                assert running < room.limit(name)
            else:
                assert refused.running == running <= refused.limit <= room.limit(name)
                assert refused.by_rate or refused.running == refused.limit
        elif busy[name]:
            room.end(name, busy[name].pop(0), now=now, reusable=reusable)
        assert {other: len(ones) for other, ones in busy.items()} == room.running
        assert len({id(one) for ones in busy.values() for one in ones}) == sum(map(len, busy.values()))

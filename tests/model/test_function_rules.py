"""Functions and account concurrencies that AWS refuses."""

from __future__ import annotations

import pytest

from chaosqs.model.design import Account, Design, EventSourceMapping, Function, Queue
from tests.model.helpers import NOT_WHOLE, changed, refusals

WORKER = Function("worker")


def refused(function: Function) -> list[tuple[str, str]]:
    return refusals(functions=[function])


def within(field: str, low: int, high: int, rule: str) -> None:
    for value in (low, high):
        assert refused(changed(WORKER, **{field: value})) == []
    for wrong in (low - 1, high + 1, *NOT_WHOLE):
        assert refused(changed(WORKER, **{field: wrong})) == [(f"functions[0].{field}", rule)]


@pytest.mark.parametrize("name", ["", "x" * 65, "a.b", "a b"])
def test_function_names_that_are_refused(name: str) -> None:
    """1 to 64 letters, digits, - and _."""
    assert refused(Function("x" * 64)) == []
    assert refused(Function(name)) == [("functions[0].name", "")]


def test_LX_1_timeout() -> None:
    """1 to 900 seconds."""
    within("timeout", 1, 900, "LX-1")


def test_LX_20_recursive_loop() -> None:
    """Two words, in AWS's spelling; Terminate is the default."""
    assert Function("worker").recursive_loop == "Terminate"
    assert refused(Function("worker", recursive_loop="Allow")) == []
    for wrong in ("allow", "Deny", "", None, True):
        assert refused(changed(WORKER, recursive_loop=wrong)) == [("functions[0].recursive_loop", "LX-20")]


def test_LX_3_memory() -> None:
    """128 to 10,240 MB."""
    within("memory", 128, 10_240, "LX-3")


def test_LC_3_reserved_concurrency() -> None:
    """None, or a whole number from 0."""
    for accepted in (None, 0, 900):
        assert refused(Function("worker", reserved_concurrency=accepted)) == []
    for wrong in (-1, 1.5, "3", True):
        function = changed(WORKER, reserved_concurrency=wrong)
        assert ("functions[0].reserved_concurrency", "LC-3") in refused(function)


def test_LC_4_a_hundred_executions_stay_unreserved() -> None:
    """All reservations together leave 100 of the account's executions."""
    assert refusals(functions=[Function("a", reserved_concurrency=450), Function("b", reserved_concurrency=450)]) == []
    over = [Function("a", reserved_concurrency=450), Function("b", reserved_concurrency=451), Function("c")]
    assert refusals(functions=over) == [("functions[].reserved_concurrency", "LC-4")]


def test_LC_4_small_account_without_reservations() -> None:
    """A new account may have fewer than 100 executions, as long as nobody reserves any."""
    assert refusals(functions=[WORKER], account=Account(10)) == []
    assert refusals(functions=[Function("worker", reserved_concurrency=0)], account=Account(10)) == [
        ("functions[].reserved_concurrency", "LC-4")
    ]


def test_LC_9_provisioned_concurrency() -> None:
    """A whole number from 0, at most what is reserved."""
    assert refused(Function("worker", provisioned_concurrency=10)) == []
    assert refused(Function("worker", reserved_concurrency=5, provisioned_concurrency=5)) == []
    refusal = [("functions[0].provisioned_concurrency", "LC-9")]
    assert refused(Function("worker", reserved_concurrency=5, provisioned_concurrency=6)) == refusal
    assert refused(Function("worker", provisioned_concurrency=-1)) == refusal
    assert refused(changed(WORKER, provisioned_concurrency="1")) == refusal


def test_LC_2_account_concurrency() -> None:
    """At least one execution, of which others take at most all."""
    assert refusals(account=Account(1, other_traffic=1)) == []
    assert refusals(account=Account(0)) == [("account.concurrency", "LC-2")]
    assert refusals(account=Account(10, other_traffic=11)) == [("account.other_traffic", "LC-2")]
    assert refusals(account=Account(10, other_traffic=-1)) == [("account.other_traffic", "LC-2")]


def test_LC_3_reservation_is_guarantee_and_ceiling() -> None:
    """A function has its reservation; all others share what reservations and other traffic leave."""
    functions = [Function("a", reserved_concurrency=100), Function("b"), Function("c", reserved_concurrency=0)]
    design = Design([], functions, account=Account(1000, other_traffic=300))
    assert [design.concurrency_limit(name) for name in ("a", "b", "c")] == [100, 600, 0]
    assert design.unreserved_concurrency() == 600


def test_LC_3_nothing_is_left_where_others_take_more() -> None:
    """Unreserved executions never fall below zero."""
    design = Design([], [Function("a", reserved_concurrency=100)], account=Account(200, other_traffic=150))
    assert design.unreserved_concurrency() == 0


def fits(*, reserved: int | None, maxima: tuple[int | None, ...], enabled: bool = True) -> bool:
    queues = [Queue(f"q{k}") for k in range(len(maxima))]
    mappings = [
        EventSourceMapping(queue.name, "worker", maximum_concurrency=maximum, enabled=enabled or maximum is not None)
        for queue, maximum in zip(queues, maxima, strict=True)
    ]
    design = Design(queues, [Function("worker", reserved_concurrency=reserved)], mappings, Account(100))
    return design.maximum_concurrency_fits("worker")


def test_MC_3_maximum_concurrencies_fit_into_the_reservation() -> None:
    """The sum over a function's mappings is at most what it may run; a mapping without a maximum never fits."""
    assert not fits(reserved=None, maxima=(50, 51))
    assert fits(reserved=None, maxima=(50, 50))
    assert not fits(reserved=None, maxima=(50, None))
    assert fits(reserved=None, maxima=(50, None), enabled=False)


def test_MC_3_reservation_counts_alone() -> None:
    """A function with a reservation of its own shares it with nobody."""
    functions = [Function("a", reserved_concurrency=4), Function("b"), Function("c")]
    queues = [Queue("qa"), Queue("qb"), Queue("qc")]
    mappings = [
        EventSourceMapping("qa", "a", maximum_concurrency=4),
        EventSourceMapping("qb", "b", maximum_concurrency=500),
        EventSourceMapping("qc", "c", maximum_concurrency=497),
    ]
    design = Design(queues, functions, mappings)
    assert [design.maximum_concurrency_fits(name) for name in ("a", "b", "c")] == [True, False, False]

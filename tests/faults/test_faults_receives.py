"""Faults of receives: nothing comes, or less, or other messages, or the same ones twice, or all of it late."""

from __future__ import annotations

import pytest

from chaosqs.model.events import Held, PollersChanged, Received, ReceiveFailed, Returned
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.workload import Burst
from tests.faults.faulted import (
    FIFO,
    FIRST,
    MAPPINGS,
    STANDARD,
    batches,
    design,
    faulted,
    moments,
    named,
    only,
    receives,
    run,
    windowed,
)

QUEUES = pytest.mark.parametrize("queue", [STANDARD, FIFO])


@QUEUES
@pytest.mark.parametrize("kind", ["failed_receive", "empty_receive"])
def test_EF_8_RX_4_a_receive_that_brings_nothing_leaves_the_message_to_the_next(kind: str, queue: str) -> None:
    """It does not count as a receive, and strikes once: another poller that waits gets the message at once."""
    history = faulted(kind, queue=queue)
    mapping = MAPPINGS[queue]
    assert only(history, ReceiveFailed) == [ReceiveFailed(0, None, queue, mapping, 1, FIRST.format(kind))]
    assert [(event.at, event.poller, event.receive_counts) for event in only(history, Received)] == [(0, 2, (1,))]


@pytest.mark.parametrize(("kind", "again"), [("failed_receive", 1500), ("empty_receive", 506)])
def test_a_poller_receives_again_after_a_receive_brought_nothing(kind: str, again: int) -> None:
    """After a failure a second later, after an empty answer as soon as that is there; nobody else is free."""
    two_pollers = design(maximum=2)
    history = run(FaultPlan([[], [kind]]), Burst(STANDARD, 2, over=1), of=two_pollers, seconds=3)
    assert moments(only(history, ReceiveFailed)) == [500]
    assert [(event.at, event.poller) for event in only(history, Received)] == [(0, 1), (again, 2)]


@pytest.mark.parametrize(("kind", "end"), [("failed_receive", 3000), ("empty_receive", 2500)])
def test_a_window_fails_every_receive_of_every_poller(kind: str, end: int) -> None:
    """Each tries once a second, and no new pollers come, as nobody sees that messages wait."""
    history = windowed(kind, 0, 2.5, Burst(STANDARD, 3))
    failed = only(history, ReceiveFailed)
    assert [(event.at, event.poller) for event in failed] == [(at, n) for at in (0, 1000, 2000) for n in range(1, 6)]
    assert {event.fault for event in failed} == {f"{kind} from 0 s for 2.5 s"}
    assert receives(history)[0][0] == end
    assert moments(only(history, PollersChanged)) == [0]


@QUEUES
def test_IF_3_a_full_quota_lets_nobody_receive_until_the_window_ends(queue: str) -> None:
    """Each poller is told once, and receives again when it ends."""
    plan = FaultPlan(windows=[Window("quota_full", queue, 0, 7)])
    history = run(plan, Burst(queue, 3, groups=1), of=design(queue))
    name = f"quota_full on {queue} from 0 s for 7 s"
    assert [(event.at, event.fault) for event in only(history, ReceiveFailed)] == [(0, name)] * 5
    assert receives(history) == [(7000, (0, 1, 2))]


@pytest.mark.parametrize("kind", ["failed_receive", "empty_receive", "quota_full"])
def test_a_window_that_is_open_when_the_plan_heals_ends_there(kind: str) -> None:
    """Nobody waits for the rest of it longer than for a try."""
    history = windowed(kind, 0, 600, Burst(STANDARD, 1), heal_at=2)
    assert receives(history) == [(2000, (0,))]


def test_receives_fail_only_where_something_waits() -> None:
    """A window over an empty queue strikes nothing: pollers wait as ever."""
    history = windowed("failed_receive", 0, 10, Burst(STANDARD, 1, at=20))
    assert named(history) == set()


@QUEUES
def test_RX_2_a_short_receive_returns_one_message(queue: str) -> None:
    """The others wait for the next receive; of a FIFO queue's group, for the delete of the first."""
    history = faulted("short_receive", 3, queue=queue)
    assert only(history, Received)[0].fault == FIRST.format("short_receive")
    waited = {STANDARD: 0, FIFO: 1322}[queue]
    assert receives(history) == [(0, (0,)), (waited, (1, 2))]


def test_a_window_of_short_receives_makes_every_batch_one_message() -> None:
    """While it lasts, and for none that wait alone: they would be no longer anyhow."""
    history = windowed("short_receive", 0, 5, Burst(STANDARD, 4), Burst(STANDARD, 4, at=5))
    assert [len(messages) for _, messages in batches(history)] == [1, 1, 1, 1, 4]
    assert [bool(event.fault) for event in only(history, Received)] == [True, True, True, False, False]


def test_OR_1_a_receive_out_of_order_returns_the_newest_messages_newest_first() -> None:
    """The oldest are left to the next receive, in their order."""
    history = faulted("out_of_order", 5, batch=2)
    assert receives(history) == [(0, (4, 3)), (0, (0, 1)), (0, (2,))]
    assert named(history) == {FIRST.format("out_of_order")}


def test_a_window_of_receives_out_of_order_turns_the_queue_round() -> None:
    """Every receive takes from the end."""
    history = windowed("out_of_order", 0, 1, Burst(STANDARD, 25))
    assert receives(history)[:3] == [
        (0, tuple(range(24, 14, -1))),
        (0, tuple(range(14, 4, -1))),
        (0, tuple(range(4, -1, -1))),
    ]


@pytest.mark.parametrize("kind", ["out_of_order", "duplicate"])
def test_order_and_single_delivery_hold_on_fifo_queues(kind: str) -> None:
    """FF-14: neither happens there, and nothing says that it did."""
    plan = FaultPlan([[kind]], [Window(kind, "", 0, 60)])
    history = run(plan, Burst(FIFO, 5, groups=2), of=design(FIFO))
    assert named(history) == set()
    assert receives(history)[0] == (0, (0, 2, 4, 1, 3))


def test_OR_4_a_duplicate_gives_the_batch_to_two_pollers_at_once() -> None:
    """Both deliveries run; the delete of the first leaves the messages to the second (RH-4)."""
    history = faulted("duplicate", 2)
    name = FIRST.format("duplicate")
    assert only(history, Returned) == [
        Returned(0, 3, STANDARD, 0, 1, name),
        Returned(0, 3, STANDARD, 1, 1, name),
    ]
    assert [(event.poller, event.receive_counts) for event in only(history, Received)] == [(1, (1, 1)), (2, (2, 2))]
    assert batches(history) == [(14, (0, 1)), (14, (0, 1))]
    assert history.summary()["messages"]["processed_twice"] == 2


def test_a_window_delivers_each_message_twice_within_one_visibility_timeout() -> None:
    """Not to every poller that happens to wait; one plan that says so for a third receive does."""
    history = windowed("duplicate", 0, 20, Burst(STANDARD, 3))
    assert len(receives(history)) == 2
    history = run(FaultPlan([["duplicate", "duplicate"]]), Burst(STANDARD, 1))
    assert [event.receive_counts for event in only(history, Received)] == [(1,), (2,), (3,)]


@QUEUES
def test_EP_10_a_slow_answer_uses_up_visibility(queue: str) -> None:
    """The batch comes five seconds later, and is hidden since its receive."""
    history = faulted("slow_receive", 2, queue=queue)
    name = FIRST.format("slow_receive")
    (received,) = only(history, Received)
    assert (received.at, received.visible_at, received.fault, received.lost) == (0, 30_000, name, False)
    assert only(history, Held) == [Held(0, 3, MAPPINGS[queue], 1, (0, 1), 5000, name)]
    assert batches(history) == [(5014, (0, 1))]


def test_a_slow_answer_keeps_a_batching_window_open() -> None:
    """What a poller has gathered waits for the answer that it expects (EP-4), and is one batch with it."""
    plan = FaultPlan([[], [], ["slow_receive"]])
    history = run(plan, Burst(STANDARD, 3, over=3), of=design(window=3, maximum=2))
    assert batches(history) == [(4014, (1,)), (7014, (0, 2))]


def test_a_batch_goes_when_its_window_closes_though_receives_fail() -> None:
    """A poller that waits to receive again hands over what it has; it does not receive while it carries that."""
    plan = FaultPlan(windows=[Window("quota_full", "", 1, 20)])
    history = run(plan, Burst(STANDARD, 2, over=4), of=design(window=3, maximum=2))
    assert batches(history)[0] == (3014, (0,))
    assert receives(history)[-1][0] == 21_000


def test_RX_8_a_lost_receive_counts_and_hides() -> None:
    """The messages come back when their visibility ends; a window loses every answer while it lasts."""
    history = windowed("lost_receive", 0, 31, Burst(STANDARD, 2))
    assert [(event.at, event.lost, event.receive_counts) for event in only(history, Received)] == [
        (0, True, (1, 1)),
        (30_000, True, (2, 2)),
        (60_000, False, (3, 3)),
    ]

"""Faults of deletes: the messages come back, go late, go twice, or are there again although they were deleted."""

from __future__ import annotations

import pytest

from chaosqs.model.events import Deleted, Held, Received, Returned
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
    named,
    only,
    receives,
    run,
    windowed,
)

QUEUES = pytest.mark.parametrize("queue", [STANDARD, FIFO])
DONE = 2322
"""When the first delete of two messages of one second each is due."""


@QUEUES
def test_EF_5_a_lost_delete_brings_the_batch_back(queue: str) -> None:
    """It works on nothing; the messages are processed twice."""
    history = faulted("lost_delete", 2, queue=queue)
    first, second = only(history, Deleted)
    name = FIRST.format("lost_delete")
    assert (first.at, first.messages, first.stayed, first.fault) == (DONE, (0, 1), (0, 1), name)
    assert (second.messages, second.stayed, second.fault) == ((0, 1), (), "")
    assert receives(history) == [(0, (0, 1)), (30_000, (0, 1))]


@QUEUES
def test_EF_5_a_failed_delete_is_repeated_once_a_second_later(queue: str) -> None:
    """Both requests are recorded; nothing comes back."""
    history = faulted("failed_delete", 2, queue=queue)
    name = FIRST.format("failed_delete")
    assert only(history, Deleted) == [
        Deleted(DONE, 5, queue, MAPPINGS[queue], (0, 1), (0, 1), name),
        Deleted(DONE + 1000, 5, queue, MAPPINGS[queue], (0, 1), (), ""),
    ]
    assert len(receives(history)) == 1


def test_a_delete_that_fails_twice_is_given_up() -> None:
    """A window may strike the repeat too; then the messages come back."""
    history = windowed("failed_delete", 0, 10, Burst(STANDARD, 1))
    assert [event.stayed for event in only(history, Deleted)] == [(0,), (0,), ()]
    assert receives(history) == [(0, (0,)), (30_000, (0,))]


@QUEUES
@pytest.mark.parametrize(("count", "back"), [(4, (2, 3)), (3, (1, 2)), (1, (0,))])
def test_EF_5_a_partial_delete_leaves_the_second_half(queue: str, count: int, back: tuple[int, ...]) -> None:
    """At least one message stays, and comes back alone."""
    history = faulted("partial_delete", count, queue=queue)
    first = only(history, Deleted)[0]
    assert (first.messages, first.stayed) == (tuple(range(count)), back)
    assert first.fault == FIRST.format("partial_delete")
    assert receives(history)[1:] == [(30_000, back)]
    assert history.summary()["queues"][queue]["NumberOfMessagesDeleted"] == count


@QUEUES
def test_EF_7_a_slow_delete_takes_effect_five_seconds_later(queue: str) -> None:
    """The poller waits for it, and does not receive meanwhile."""
    history = faulted("slow_delete", 2, queue=queue)
    name = FIRST.format("slow_delete")
    assert only(history, Held) == [Held(DONE, 5, MAPPINGS[queue], 1, (0, 1), DONE + 5000, name)]
    assert only(history, Deleted) == [Deleted(DONE + 5000, 5, queue, MAPPINGS[queue], (0, 1), (), "")]


def test_a_poller_whose_delete_is_slow_carries_its_batch() -> None:
    """The next message goes to another poller, until all are busy."""
    history = run(
        FaultPlan(windows=[Window("slow_delete", "", 0, 60)]), Burst(STANDARD, 3, over=6), of=design(maximum=2)
    )
    assert [(event.at, event.poller) for event in only(history, Received)] == [(0, 1), (2000, 2), (6322, 1)]


@pytest.mark.parametrize(("queue", "stays"), [(STANDARD, ()), (FIFO, (0,))])
def test_EF_6_EF_7_a_slow_delete_after_the_visibility(queue: str, stays: tuple[int, ...]) -> None:
    """Held up by a stall, it works on a standard queue if nobody has the message again; on a FIFO queue it cannot."""
    plan = FaultPlan([["slow_delete"]], [Window("stall", "", 0, 25), Window("failed_receive", "", 29, 10)])
    history = run(plan, Burst(queue, 1, groups=1), of=design(queue))
    first = only(history, Deleted)[0]
    assert (first.at, first.stayed) == (31_322, stays)


@QUEUES
def test_RH_7_a_delete_whose_answer_got_lost_is_repeated_and_counts_twice(queue: str) -> None:
    """The first has worked; the second succeeds all the same."""
    history = faulted("lost_delete_response", 2, queue=queue)
    name = FIRST.format("lost_delete_response")
    assert only(history, Deleted) == [
        Deleted(DONE, 5, queue, MAPPINGS[queue], (0, 1), (), name),
        Deleted(DONE + 1000, 5, queue, MAPPINGS[queue], (0, 1), (), ""),
    ]
    assert history.summary()["queues"][queue]["NumberOfMessagesDeleted"] == 4
    assert history.summary()["messages"]["processed_twice"] == 0


def test_RH_10_a_deleted_message_is_there_again_a_second_later() -> None:
    """The run waits for it; another delivery processes and deletes it."""
    history = faulted("reappear", 2)
    name = FIRST.format("reappear")
    assert only(history, Returned) == [
        Returned(DONE + 1000, 6, STANDARD, 0, 1, name),
        Returned(DONE + 1000, 6, STANDARD, 1, 1, name),
    ]
    assert isinstance(history.events[6], Deleted)
    assert [event.receive_counts for event in only(history, Received)] == [(1, 1), (2, 2)]
    assert history.summary()["messages"]["processed_twice"] == 2


def test_a_window_brings_back_what_is_deleted_while_it_is_open() -> None:
    """Until the delete that comes after its end."""
    history = windowed("reappear", 0, 3, Burst(STANDARD, 1))
    assert [event.at for event in only(history, Deleted)] == [1322, 3394]
    healed = windowed("reappear", 0, 3, Burst(STANDARD, 1), heal_at=1)
    assert named(healed) == set()


def test_messages_do_not_reappear_on_fifo_queues() -> None:
    """Nor does the record say so."""
    history = faulted("reappear", 2, queue=FIFO)
    assert named(history) == set()
    assert len(batches(history)) == 1


@pytest.mark.parametrize("scope", ["orders", "worker", "orders→worker"])
def test_a_window_may_name_queue_function_or_mapping(scope: str) -> None:
    """Each of them is what a delete is about."""
    history = run(FaultPlan(windows=[Window("lost_delete", scope, 0, 10)]), Burst(STANDARD, 1))
    assert named(history) == {f"lost_delete on {scope} from 0 s for 10 s"}

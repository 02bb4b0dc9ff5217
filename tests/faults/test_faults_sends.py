"""Faults of producers: what they send comes late, twice or all at once, but it comes."""

from __future__ import annotations

import attrs
import pytest

from chaosqs.model.assumptions import Assumptions
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Queue
from chaosqs.model.events import InvocationStarted, Received, SendFailed, Sent
from chaosqs.model.faults import FaultPlan, Window
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.simulation.run import simulate
from tests.faults.faulted import FIFO, STANDARD, batches, design, named, only, receives, run, windowed

QUEUES = pytest.mark.parametrize("queue", [STANDARD, FIFO])


def one(queue: str) -> Burst:
    """Return a load of one message."""
    return Burst(queue, 1, groups=1)


@QUEUES
@pytest.mark.parametrize("kind", ["lost_send", "failed_send"])
def test_OR_4_a_send_that_fails_is_sent_again_a_second_later(kind: str, queue: str) -> None:
    """The failure is recorded, then the message is sent by cause of it; only the first attempt is struck."""
    history = run(FaultPlan(sends=[kind]), one(queue), of=design(queue))
    name = f"{kind} of message 1"
    assert history.events[1] == SendFailed(0, None, queue, 0, name)
    assert only(history, Sent) == [Sent(1000, 1, queue, 0, 100, "group-0")]
    assert batches(history) == [(1014, (0,))]


def test_a_window_fails_every_attempt_until_it_ends() -> None:
    """A producer tries each second; its failures are the causes of one another."""
    history = windowed("failed_send", 0, 2.5, Burst(STANDARD, 1))
    assert [(event.at, event.cause) for event in only(history, SendFailed)] == [(0, None), (1000, 1), (2000, 2)]
    assert only(history, Sent) == [Sent(3000, 3, STANDARD, 0, 100, "")]


def test_the_back_off_of_producers_is_an_assumption() -> None:
    """`send_retry` says how long they wait."""
    plan, patient = FaultPlan(sends=["lost_send"]), Assumptions(send_retry=5000)
    scenario = Scenario(design(), [Burst(STANDARD, 1)], {"worker": Behaviour()}, plan, assumptions=patient)
    assert [event.at for event in only(simulate(scenario), Sent)] == [5000]


def test_OR_4_a_lost_answer_makes_a_second_message_on_a_standard_queue() -> None:
    """It has the next number after those of the workload, and names the one that it repeats; both are processed."""
    history = run(FaultPlan(sends=["lost_send_response"]), Burst(STANDARD, 2, over=1))
    name = "lost_send_response of message 1"
    assert only(history, Sent) == [
        Sent(0, None, STANDARD, 0, 100, "", fault=name),
        Sent(500, None, STANDARD, 1, 100, ""),
        Sent(1000, 1, STANDARD, 2, 100, "", copy_of=0),
    ]
    assert [messages for _, messages in batches(history)] == [(0,), (1,), (2,)]


def test_FF_5_a_lost_answer_makes_no_second_message_on_a_fifo_queue() -> None:
    """The repeat carries the same deduplication id within its five minutes."""
    history = run(FaultPlan(sends=["lost_send_response"]), one(FIFO), of=design(FIFO))
    assert only(history, Sent) == [Sent(0, None, FIFO, 0, 100, "group-0", fault="lost_send_response of message 1")]


def test_a_copy_has_no_copies() -> None:
    """Even while a window loses every answer, a message is sent twice and no more."""
    history = windowed("lost_send_response", 0, 60, Burst(STANDARD, 3))
    assert [event.copy_of for event in only(history, Sent)] == [None, None, None, 0, 1, 2]


def test_a_copy_of_a_poison_message_is_poison() -> None:
    """It has the same contents, so the same handler fails on it."""
    plan, poison = FaultPlan(sends=["lost_send_response"]), Behaviour(poison=[0])
    history = simulate(Scenario(design(), [Burst(STANDARD, 1)], {"worker": poison}, plan))
    assert history.summary()["messages"]["dead_lettered"] == 2


@QUEUES
def test_OR_1_a_late_send_is_found_five_seconds_later(queue: str) -> None:
    """It is sent now; no receive finds it before."""
    history = run(FaultPlan(sends=["late_send"]), one(queue), of=design(queue))
    assert only(history, Sent) == [Sent(0, None, queue, 0, 100, "group-0", fault="late_send of message 1")]
    assert receives(history) == [(5000, (0,))]


def test_a_late_send_comes_on_top_of_the_delay() -> None:
    """DL-1 holds besides: 3 seconds and 5."""
    delayed = attrs.evolve(design(), queues=[Queue(STANDARD, delay=3)])
    history = run(FaultPlan(sends=["late_send"]), Burst(STANDARD, 1), of=delayed)
    assert receives(history) == [(8000, (0,))]


@QUEUES
def test_what_an_outage_held_up_arrives_all_at_once(queue: str) -> None:
    """Messages of different moments are one batch when the window ends."""
    plan = FaultPlan(windows=[Window("outage", queue, 0, 10)])
    history = run(plan, Burst(queue, 4, over=8, groups=1), of=design(queue))
    name = f"outage on {queue} from 0 s for 10 s"
    assert [(event.at, event.message) for event in only(history, SendFailed)] == [
        (0, 0),
        (2000, 1),
        (4000, 2),
        (6000, 3),
    ]
    assert named(history) == {name}
    sent = only(history, Sent)
    assert [event.at for event in sent] == [10_000] * 4
    assert [type(history.events[event.cause or 0]) for event in sent] == [SendFailed] * 4
    assert batches(history) == [(10_014, (0, 1, 2, 3))]


def test_an_outage_ends_when_the_plan_heals() -> None:
    """A window that is open at `heal_at` stops then."""
    history = windowed("outage", 0, 100, Burst(STANDARD, 2), heal_at=3)
    assert [event.at for event in only(history, Sent)] == [3000, 3000]


def test_sends_to_other_queues_are_not_struck() -> None:
    """A window may name a queue."""
    history = run(FaultPlan(windows=[Window("outage", "orders-dlq", 0, 10)]), Burst(STANDARD, 1))
    assert named(history) == set()
    assert isinstance(history.events[2], Received)
    assert isinstance(history.events[3], InvocationStarted)

"""Losses of messages, and cases that are not losses."""

from __future__ import annotations

from chaosqs.invariants import AT_LEAST_ONCE_DELIVERY
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.verdict import Status
from tests.invariants.builder import Story, orders_design

judge = AT_LEAST_ONCE_DELIVERY.judge


def test_processed_and_deleted() -> None:
    """The plain course of things holds, and counts the messages."""
    story = Story(orders_design()).send(3)
    story.receive(0).start().finish().delete()
    verdict = judge(story.end())
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 3)


def test_message_that_is_still_worked_on_is_not_lost_yet() -> None:
    """A consumer that deletes early and is still at work when the run ends has lost nothing so far."""
    story = Story(orders_design()).send()
    story.receive(0).start().delete()
    assert judge(story.end()).status is Status.HOLDS


def test_success_of_another_delivery_counts() -> None:
    """A message is processed when any of its invocations succeeds."""
    story = Story(orders_design()).send()
    first = story.receive(0).start()
    second = story.at(30).give_back(0).receive(0, poller=2).start()
    first.finish()
    second.finish("crashed").delete()
    assert judge(story.end()).status is Status.HOLDS


def test_DLQ_9_retention_of_a_standard_queue_counts_from_sending() -> None:
    """In a standard dead-letter queue a message keeps the time at which it was sent."""
    design = Design(
        [Queue("orders", redrive=Redrive("dlq", 1)), Queue("dlq", retention_period=60)],
        [Function("worker")],
        [EventSourceMapping("orders", "worker")],
    )
    story = Story(design).send()
    story.receive(0).start().finish("raised").release("failed")
    story.at(30).give_back(0).dead_letter(0, target="dlq")
    assert judge(story.at(60).expire(0, queue="dlq").end()).status is Status.HOLDS


def test_DLQ_10_retention_of_a_fifo_queue_counts_from_the_move() -> None:
    """In a FIFO dead-letter queue a message has the full retention period from its move."""
    design = Design(
        [Queue("orders.fifo", redrive=Redrive("dlq.fifo", 1)), Queue("dlq.fifo", retention_period=60)],
        [Function("worker")],
        [EventSourceMapping("orders.fifo", "worker")],
    )
    story = Story(design).send(queue="orders.fifo")
    story.receive(0, mapping="orders.fifo→worker").start().finish("raised").release("failed")
    story.at(30).give_back(0, queue="orders.fifo").dead_letter(0, queue="orders.fifo", target="dlq.fifo")
    (violation,) = judge(story.at(89).expire(0, queue="dlq.fifo").end()).violations
    assert violation.text == ("Message 1 expired in dlq.fifo 1.0 s before its retention period of 60.0 s was over.")


def test_violations_come_in_the_order_of_events() -> None:
    """What can be judged only at the end of the run stands where it happened."""
    story = Story(orders_design()).send(2)
    story.receive(0).delete()
    story.expire(1)
    verdict = judge(story.end())
    assert [violation.messages for violation in verdict.violations] == [(0,), (1,)]


def test_EF_4_deletes_by_hand_are_nobody_elses_business() -> None:
    """Code that deletes a message has taken it over, and a purge is the owner's wish."""
    story = Story(orders_design()).send(2)
    batch = story.receive(0).start()
    story.client_deletes(0)
    batch.finish("raised")
    verdict = judge(story.client_deletes(1, fault="PurgeQueue").end())
    assert verdict.status is Status.HOLDS


def test_queues_that_clients_add_are_not_judged() -> None:
    """The design says nothing of a queue that a client creates."""
    story = Story(orders_design()).send(2, queue="new").dead_letter(0, queue="new").expire(1, queue="new")
    assert judge(story.end()).status is Status.HOLDS


def test_FL_2_filtered_message_is_not_lost() -> None:
    """A message that no filter lets pass is deleted unseen, as its design says."""
    story = Story(orders_design()).send()
    story.receive(0).filter_out()
    assert judge(story.end()).status is Status.HOLDS

"""Messages that vanished, and the moment at which that is certain."""

from __future__ import annotations

from chaosqs.invariants import NO_LOSS_AFTER_SEND
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.verdict import Status
from tests.invariants.builder import Story, orders_design

judge = NO_LOSS_AFTER_SEND.judge


def test_everything_that_takes_a_message_out_is_an_account_of_it() -> None:
    """Deletes of pollers and of clients, filters, purges, retention and moves: none of them is a loss."""
    story = Story(orders_design()).send(6)
    story.receive(0).start().finish().delete()
    story.receive(1).filter_out()
    story.client_deletes(2).client_deletes(3, fault="PurgeQueue").expire(4).dead_letter(5)
    verdict = judge(story.end(drained=True))
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 6)


def test_message_in_a_dead_letter_queue_that_is_polled_must_leave_that_too() -> None:
    """A drained run leaves nothing in any queue that a mapping polls."""
    design = Design(
        [Queue("orders", redrive=Redrive("dlq", 1)), Queue("dlq")],
        [Function("worker")],
        [EventSourceMapping("orders", "worker"), EventSourceMapping("dlq", "worker")],
    )
    (violation,) = judge(Story(design).send().dead_letter(0, target="dlq").end(drained=True)).violations
    assert (violation.messages, violation.queue, violation.events) == ((0,), "dlq", (1,))


def test_RH_10_message_that_reappears_has_to_be_deleted_again() -> None:
    """What a replica shows again after its delete is in the queue again."""
    story = Story(orders_design()).send()
    story.receive(0).start().finish().delete()
    story.at(1).give_back(0, fault="reappear at receive 1 of message 1")
    assert judge(story.end(drained=True)).status is Status.VIOLATED


def test_delete_that_left_the_message_there_does_not_count() -> None:
    """A lost or late delete takes nothing out (EF-5, RH-4)."""
    story = Story(orders_design()).send()
    story.receive(0).start().finish().delete(stayed=(0,), fault="lost_delete at receive 1 of message 1")
    assert judge(story.end(drained=True)).status is Status.VIOLATED


def test_run_that_leaves_messages_behind_proves_nothing() -> None:
    """While messages may be anywhere, none can be missed."""
    verdict = judge(Story(orders_design()).send().end())
    assert (verdict.status, verdict.reason) == (
        Status.NOT_EXERCISED,
        "messages were left when the run ended, so none could be missed",
    )
    assert judge(Story(orders_design()).end()).reason == "no message was sent"

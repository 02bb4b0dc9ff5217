"""The deliveries that a message gets before it is dead-lettered."""

from __future__ import annotations

from chaosqs.invariants import NO_EARLY_DEAD_LETTERING
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.verdict import Status
from tests.invariants.builder import Story, orders_design

judge = NO_EARLY_DEAD_LETTERING.judge


def test_DLQ_3_dead_lettered_without_a_delivery() -> None:
    """A message that was moved before anybody received it was robbed of all its deliveries."""
    (violation,) = judge(Story(orders_design()).send().dead_letter(0).end()).violations
    assert violation.text == (
        "Message 1 went from orders to orders-dlq although it was never received there: max_receive_count is 2."
    )


def test_DLQ_20_receives_count_by_queue() -> None:
    """In a chain of dead-letter queues each queue grants its own deliveries."""
    queues = [
        Queue("orders", redrive=Redrive("retries", 1)),
        Queue("retries", redrive=Redrive("dead", 1)),
        Queue("dead"),
    ]
    mappings = [EventSourceMapping(name, "worker") for name in ("orders", "retries")]
    story = Story(Design(queues, [Function("worker")], mappings)).send()
    story.receive(0).start().finish("raised").release("failed")
    story.at(30).give_back(0).dead_letter(0, target="retries").dead_letter(0, queue="retries", target="dead")
    (violation,) = judge(story.end()).violations
    assert violation.text.startswith("Message 1 went from retries to dead although it was never received there")


def test_RX_8_lost_receive_counts_as_a_delivery() -> None:
    """SQS counts a receive whose answer got lost, and may dead-letter for it."""
    story = Story(orders_design(max_receive_count=1)).send()
    story.receive(0, fault="lost_receive at receive 1 of message 1")
    assert judge(story.at(30).give_back(0).dead_letter(0).end()).status is Status.HOLDS


def test_change_of_the_redrive_policy_holds_from_then_on() -> None:
    """An operator who lowers max_receive_count makes an earlier move right, one who raises it a later one."""
    story = Story(orders_design(max_receive_count=2)).send(2)
    story.receive(0, 1).start().finish("raised").release("failed")
    story.at(30).give_back(0, 1).operate("orders", "max_receive_count", 1).dead_letter(0)
    story.operate("orders", "max_receive_count", 3).dead_letter(1)
    (violation,) = judge(story.end()).violations
    assert (violation.messages, violation.text) == (
        (1,),
        "Message 2 went from orders to orders-dlq although it was received only once there: max_receive_count is 3.",
    )


def test_design_without_redrive_policy_is_not_judged() -> None:
    """Where nothing can be dead-lettered nothing is promised."""
    verdict = judge(Story(orders_design(max_receive_count=None)).send().end())
    assert (verdict.status, verdict.reason) == (
        Status.NOT_APPLICABLE,
        "no queue has a redrive policy, so nothing is dead-lettered",
    )


def test_run_without_a_move_proves_nothing() -> None:
    """Only a message that is dead-lettered can be so too early."""
    verdict = judge(Story(orders_design()).send().end())
    assert (verdict.status, verdict.reason) == (Status.NOT_EXERCISED, "nothing was dead-lettered")

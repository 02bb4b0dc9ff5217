"""Messages that expire before anybody has seen them."""

from __future__ import annotations

import attrs

from chaosqs.invariants import NO_EXPIRY_UNSEEN
from chaosqs.model.design import Design, EventSourceMapping, Queue
from chaosqs.model.verdict import Status
from tests.invariants.builder import Story, orders_design

judge = NO_EXPIRY_UNSEEN.judge
DESIGN = orders_design(retention_period=60)


def test_RT_1_a_message_that_nobody_received_in_time_is_lost() -> None:
    """Nothing failed, and it is gone all the same."""
    (violation,) = judge(Story(DESIGN).send(2).at(60).expire(0).end()).violations
    assert violation.text == (
        "Message 1 expired in orders although no poller had received it within its retention period of 60.0 s."
    )


def test_a_message_that_was_received_is_not_judged() -> None:
    """Its expiry is the end of its failures, which others judge."""
    story = Story(DESIGN).send()
    story.receive(0).start().finish("raised").release("failed")
    assert judge(story.at(60).give_back(0).expire(0).end()).status is Status.HOLDS


def test_ES_8_a_message_that_was_received_and_never_given_to_a_function_is_unseen() -> None:
    """The verdict names what kept it from the function, and blames the first receive and the last."""
    story = Story(DESIGN).send()
    for second in (0, 30):
        batch = story.at(second).receive(0).throttle(running=2)
        story.at(second + 30)
        batch.release("throttled")
        story.give_back(0)
    (violation,) = judge(story.expire(0).end()).violations
    assert violation.text == (
        "Message 1 expired in orders although worker never saw it within its retention period of 60.0 s: it was "
        "received 2 times, and each time all 2 reserved executions of worker were busy."
    )
    assert violation.events == (1, 2, 3, 5, 6, 7, 9)


def test_a_client_and_a_filter_have_seen_a_message() -> None:
    """Who receives by itself, or filters, decides what becomes of it."""
    assert judge(Story(DESIGN).send().client_receives(0, count=1).at(60).expire(0).end()).status is Status.HOLDS
    story = Story(DESIGN).send()
    story.receive(0).filter_out()
    assert judge(story.at(60).expire(0).end()).status is Status.HOLDS


def test_a_dead_letter_that_a_mapping_should_have_received_counts_in_its_own_queue() -> None:
    """That another function had failed on it before does not make up for it."""
    polled = EventSourceMapping("orders-dlq", "worker")
    design = attrs.evolve(DESIGN, mappings=[*DESIGN.mappings, polled])
    story = Story(design).send()
    story.receive(0).start().finish("raised").release("failed")
    story.at(30).give_back(0).dead_letter(0).at(90).expire(0, "orders-dlq")
    (violation,) = judge(story.end()).violations
    assert violation.text.startswith("Message 1 expired in orders-dlq although no poller had received it")


def test_a_fault_or_an_operator_in_the_way_excuses() -> None:
    """Without the fault it might have been received in time; the verdict names it."""
    story = Story(DESIGN).send(2)
    story.receive(1).hold(60, "stall at receive 1 of message 2")
    verdict = judge(story.at(60).expire(0).end())
    assert verdict.excused == ("Message 1 expired in orders unseen, but: stall at receive 1 of message 2",)
    verdict = judge(Story(DESIGN).send().operate("worker", "reserved_concurrency", 0).at(60).expire(0).end())
    assert verdict.excused == ("Message 1 expired in orders unseen, but: an operator changed worker",)


def test_DL_1_a_delay_as_long_as_the_retention_is_not_excused_by_a_fault() -> None:
    """No poller can ever receive such a message."""
    queue = Queue("orders", delay=60, retention_period=60)
    story = Story(orders_design(queue=queue)).send(2)
    story.receive(1).hold(60, "stall at receive 1 of message 2")
    assert judge(story.at(60).expire(0).end()).status is Status.VIOLATED


def test_queues_that_nobody_polls_are_not_judged() -> None:
    """Messages of a dead-letter queue wait for people, and a mapping that is switched off receives nothing."""
    mapping = EventSourceMapping("orders", "worker", 1, enabled=False)
    assert judge(Story(orders_design(mapping=mapping)).send().end()).status is Status.NOT_APPLICABLE
    assert judge(Story(DESIGN).send(queue="orders-dlq").end()).status is Status.NOT_EXERCISED
    assert judge(Story(Design([Queue("orders")])).send().end()).status is Status.NOT_APPLICABLE

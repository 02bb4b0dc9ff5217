"""When a dead-letter queue loses messages because they come old."""

from __future__ import annotations

import pytest

from chaosqs.invariants import DEAD_LETTER_QUEUE_OUTLIVES_SOURCE
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.verdict import Status
from tests.invariants.builder import Story, fifo_design

judge = DEAD_LETTER_QUEUE_OUTLIVES_SOURCE.judge


def story_of(*, source: int, dead_letters: int) -> Story:
    queues = [
        Queue("orders", retention_period=source, redrive=Redrive("dlq", 1)),
        Queue("dlq", retention_period=dead_letters),
    ]
    return Story(Design(queues, [Function("worker")], [EventSourceMapping("orders", "worker")])).send()


def test_DLQ_9_shorter_retention_than_the_source() -> None:
    """A message that is older than the dead-letter queue's retention expires as soon as it comes."""
    story = story_of(source=600, dead_letters=60).at(90).dead_letter(0, target="dlq").expire(0, queue="dlq")
    (violation,) = judge(story.end()).violations
    assert (violation.queue, violation.events) == ("orders", (1, 2))
    assert violation.text == (
        "Message 1 expired in dlq as soon as it came, 60.0 s too soon: it brought its age from orders, "
        "and 60.0 s are less than the 600.0 s there."
    )


@pytest.mark.parametrize(("dead_letters", "status"), [(600, Status.VIOLATED), (601, Status.HOLDS)])
def test_as_long_is_not_longer(dead_letters: int, status: Status) -> None:
    """With the source's own retention a message is kept for no longer than if it had stayed there."""
    story = story_of(source=600, dead_letters=dead_letters).at(500).dead_letter(0, target="dlq")
    verdict = judge(story.at(dead_letters).expire(0, queue="dlq").end())
    assert (verdict.status, verdict.exercised) == (status, 1)


def test_full_stay_holds() -> None:
    """A message that brought no age had the whole retention period."""
    story = story_of(source=60, dead_letters=60).dead_letter(0, target="dlq").at(60).expire(0, queue="dlq")
    assert judge(story.end()).status is Status.HOLDS


def test_RT_3_retention_that_an_operator_changes() -> None:
    """The period holds that is set when the message expires."""
    story = story_of(source=60, dead_letters=60).at(30).dead_letter(0, target="dlq")
    story.operate("dlq", "retention_period", 90).at(90).expire(0, queue="dlq")
    assert judge(story.end()).status is Status.HOLDS


def test_expiry_elsewhere_is_not_judged() -> None:
    """A message that expires in its source, or in a queue it was sent to, brought no age."""
    story = story_of(source=60, dead_letters=60).send(1, queue="dlq").send().dead_letter(0, target="dlq")
    verdict = judge(story.at(60).expire(1, queue="dlq").expire(2).end())
    assert (verdict.status, verdict.reason) == (Status.NOT_EXERCISED, "no message expired in a dead-letter queue")


def test_DLQ_10_fifo_queues_count_from_the_move() -> None:
    """So there is nothing to promise, nor where no queue has a dead-letter queue, nor where nothing is moved."""
    assert judge(Story(fifo_design()).end()).status is Status.NOT_APPLICABLE
    assert judge(Story(Design([Queue("orders")])).end()).status is Status.NOT_APPLICABLE
    assert judge(story_of(source=60, dead_letters=60).end()).reason == "no dead letter expired"

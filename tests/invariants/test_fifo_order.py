"""Order within a message group, and violations of it."""

from __future__ import annotations

from chaosqs.invariants import FIFO_ORDER
from chaosqs.model.verdict import Status
from tests.invariants.builder import Batch, Story, fifo_design, orders_design

judge = FIFO_ORDER.judge

MAPPING = "orders.fifo→worker"


def group_of(count: int) -> Story:
    return Story(fifo_design()).send(count, queue="orders.fifo", group="a")


def receive(story: Story, *messages: int, poller: int = 1) -> Batch:
    return story.receive(*messages, mapping=MAPPING, poller=poller)


def test_in_order_one_by_one_and_in_batches() -> None:
    """All messages of a group that has several count."""
    story = group_of(3)
    receive(story, 0).start().finish().delete()
    receive(story, 1, 2).start().finish().delete()
    verdict = judge(story.end())
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 3)


def test_batch_that_is_itself_in_disorder() -> None:
    """A handler takes the messages as they stand in the batch."""
    story = group_of(2)
    receive(story, 1, 0).start()
    (violation,) = judge(story.end()).violations
    assert violation.text == (
        "Message 2 was given to worker before message 1, which was sent earlier to the same group."
    )


def test_batch_without_the_message_before() -> None:
    """A message that waits in the queue is passed over; it does not matter whether it was received before."""
    story = group_of(2)
    receive(story, 0).start().finish("raised").release("failed")
    receive(story, 1).start()
    (violation,) = judge(story.end()).violations
    assert (violation.messages, violation.events) == ((1, 0), (7,))


def test_G_28_failed_message_after_a_later_one() -> None:
    """A partial answer let the later message go first; blamed are its success and the second attempt."""
    story = group_of(2)
    receive(story, 0, 1).start().finish(failed=(0,)).delete(1)
    story.at(30).give_back(0, queue="orders.fifo")
    receive(story, 0).start()
    (violation,) = judge(story.end()).violations
    assert (violation.messages, violation.events) == ((0, 1), (4, 8))


def test_EQ_3_failed_batch_is_retried_as_a_whole() -> None:
    """Retries before later messages keep the order."""
    story = group_of(3)
    receive(story, 0, 1).start().finish("raised").release("failed")
    story.at(30).give_back(0, 1, queue="orders.fifo")
    receive(story, 0, 1, 2).start().finish().delete()
    assert judge(story.end()).status is Status.HOLDS


def test_DLQ_14_dead_lettered_message_leaves_the_order() -> None:
    """The group goes on without it; so it does without what expired or was filtered out."""
    story = group_of(4)
    receive(story, 0).start().finish("raised").release("failed")
    story.at(30).dead_letter(0, queue="orders.fifo", target="orders-dlq.fifo").expire(1, queue="orders.fifo")
    receive(story, 2).filter_out()
    receive(story, 3).start().finish().delete()
    assert judge(story.end()).status is Status.HOLDS


def test_late_delete_repeats_but_does_not_reorder() -> None:
    """Messages that were done before, in order, come again in order: that is another promise's business (EF-6)."""
    story = group_of(2)
    receive(story, 0, 1).start().finish().delete(stayed=(0, 1))
    story.at(30).give_back(0, 1, queue="orders.fifo")
    receive(story, 0, 1).start().finish().delete()
    assert judge(story.end()).status is Status.HOLDS


def test_groups_do_not_wait_for_each_other() -> None:
    """Order is within a group; one message alone has none."""
    story = Story(fifo_design())
    for group in ("a", "b"):
        story.send(queue="orders.fifo", group=group)
    receive(story, 1).start()
    verdict = judge(story.end())
    assert (verdict.status, verdict.reason) == (Status.NOT_EXERCISED, "no group had two messages to put in order")


def test_standard_queues_are_not_judged() -> None:
    """Their order is best effort (OR-1)."""
    verdict = judge(Story(orders_design()).end())
    assert (verdict.status, verdict.reason) == (Status.NOT_APPLICABLE, "no mapping polls a FIFO queue")

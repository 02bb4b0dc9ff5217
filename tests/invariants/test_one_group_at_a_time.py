"""When two invocations work on one group."""

from __future__ import annotations

from chaosqs.invariants import ONE_GROUP_AT_A_TIME
from chaosqs.model.verdict import Status
from tests.invariants.builder import Batch, Story, fifo_design, orders_design

judge = ONE_GROUP_AT_A_TIME.judge


def group_of(*groups: str) -> Story:
    story = Story(fifo_design())
    for group in groups:
        story.send(queue="orders.fifo", group=group)
    return story


def receive(story: Story, *messages: int, poller: int = 1) -> Batch:
    return story.receive(*messages, mapping="orders.fifo→worker", poller=poller)


def test_two_messages_of_one_group_in_two_invocations() -> None:
    """They need not be the same; the text names both."""
    story = group_of("a", "a")
    receive(story, 0).start()
    receive(story, 1, poller=2).start()
    (violation,) = judge(story.end()).violations
    assert (violation.messages, violation.queue, violation.events) == ((1, 0), "orders.fifo", (2, 3, 4, 5))
    assert violation.text.startswith(
        "worker was given message 2 of group 'a' while it still worked on message 1 of the same group: "
    )


def test_same_message_again() -> None:
    """Then it is told once."""
    story = group_of("a")
    receive(story, 0).start()
    story.at(30).give_back(0, queue="orders.fifo")
    receive(story, 0, poller=2).start()
    (violation,) = judge(story.end()).violations
    assert violation.text == (
        "worker was given message 1 of group 'a' while it still worked on it: its visibility timeout was 30.0 s."
    )


def test_EQ_2_other_groups_and_later_invocations_are_free() -> None:
    """Groups run side by side, and one after another within a group; a batch may hold several."""
    story = group_of("a", "b", "a", "b")
    first = receive(story, 0, 1).start()
    story.at(1)
    first.finish().delete()
    receive(story, 2).start()
    receive(story, 3, poller=2).start()
    verdict = judge(story.end())
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 2)


def test_stall_of_a_poller_excuses() -> None:
    """A batch that was held for its whole visibility timeout meets its own redelivery."""
    story = group_of("a")
    batch = receive(story, 0).hold(29, "stall at receive 1 of message 1")
    story.at(29)
    first = batch.start()
    story.at(30).give_back(0, queue="orders.fifo")
    receive(story, 0, poller=2).start()
    story.at(32)
    first.finish()
    verdict = judge(story.end())
    assert verdict.status is Status.HOLDS
    (excuse,) = verdict.excused
    assert excuse == (
        "worker was given message 1 of group 'a' while it still worked on it, "
        "but only by a fault: stall at receive 1 of message 1"
    )


def test_RT_1_message_that_leaves_the_queue_in_flight_lets_its_group_go_on() -> None:
    """By the end of its retention, or because the handler deletes it before the work is done: the text says so."""
    for told in ("the retention of message 1 had ended meanwhile.", "message 1 had been deleted meanwhile."):
        story = group_of("a", "a")
        receive(story, 0).start()
        if "retention" in told:
            story.expire(0, queue="orders.fifo")
        else:
            story.client_deletes(0, queue="orders.fifo")
        receive(story, 1, poller=2).start()
        (violation,) = judge(story.end()).violations
        assert violation.text.endswith(told)


def test_nothing_to_judge() -> None:
    """Standard queues have no groups that block; a group that was handed out once met nobody."""
    assert judge(Story(orders_design()).end()).status is Status.NOT_APPLICABLE
    story = group_of("a")
    receive(story, 0).start()
    verdict = judge(story.end())
    assert (verdict.status, verdict.reason) == (Status.NOT_EXERCISED, "no group was handed out twice")

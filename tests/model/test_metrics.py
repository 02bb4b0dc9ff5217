"""Each metric counts as CloudWatch does (ledger, section 11)."""

from __future__ import annotations

import json

import pytest

from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.events import Outcome, PollersChanged, ReceivedNothing
from tests.invariants.builder import Story, orders_design

FAULT = "lost_delete at receive 1 of message 1"


def queue(story: Story, name: str = "orders") -> dict[str, float]:
    return story.end().summary()["queues"][name]


def function(story: Story) -> dict[str, float]:
    return story.end().summary()["functions"]["worker"]


def mapping(story: Story) -> dict[str, float]:
    return story.end().summary()["mappings"]["orders→worker"]


def messages(story: Story) -> dict[str, int]:
    return story.end().summary()["messages"]


def sent(count: int = 1) -> Story:
    return Story(orders_design()).send(count)


# AWS/SQS


def test_CW_1_DLQ_16_number_of_messages_sent_leaves_moves_out() -> None:
    """DLQ-16: a move to the dead-letter queue is not a send."""
    story = sent(2).dead_letter(0)
    assert (queue(story)["NumberOfMessagesSent"], queue(story, "orders-dlq")["NumberOfMessagesSent"]) == (2, 0)


def test_CW_2_number_of_messages_received_counts_redeliveries_and_lost_answers() -> None:
    """Every returned message counts, every time; SQS does not know that an answer got lost (RX-8)."""
    story = sent(2)
    story.receive(0, 1)
    story.at(30).give_back(0).receive(0, fault="lost_receive")
    assert queue(story)["NumberOfMessagesReceived"] == 3


def test_RH_7_CW_3_CW_30_number_of_messages_deleted_counts_requests_that_succeed() -> None:
    """A delete that changes nothing counts, one that never arrived does not."""
    story = sent(2)
    first = story.receive(0, 1).start().finish().delete(stayed=(0,))
    first.delete(0)
    first.delete(stayed=(0, 1), fault=FAULT)
    assert queue(story)["NumberOfMessagesDeleted"] == 3
    assert mapping(story)["DeletedEventCount"] == 3


def test_CW_4_number_of_empty_receives_counts_long_polls() -> None:
    """Long polls that are recorded together count one by one."""
    story = sent(0).at(60)
    story.tell(ReceivedNothing(60_000, None, "orders", "orders→worker", 1, 3, 0, 20_000))
    assert queue(story)["NumberOfEmptyReceives"] == 3
    assert story.end().series("NumberOfEmptyReceives", "orders", 30) == [(0, 1), (30, 1), (60, 1)]


def test_CW_6_CW_7_messages_visible_and_not_visible() -> None:
    """In flight is what was received and is neither back nor gone; the summary has its maximum."""
    story = sent(5)
    story.receive(0, 1, 2).start().finish().delete(0)
    story.at(30).give_back(1)
    assert queue(story)["ApproximateNumberOfMessagesNotVisible"] == 3
    assert queue(story)["ApproximateNumberOfMessagesVisible"] == 3


def test_moved_messages_are_visible_in_the_dead_letter_queue() -> None:
    """The backlog of the dead-letter queue is the metric to watch (DLQ-16)."""
    story = sent(2).dead_letter(0)
    assert queue(story, "orders-dlq")["ApproximateNumberOfMessagesVisible"] == 1
    assert queue(story)["ApproximateNumberOfMessagesVisible"] == 1


def test_expired_messages_are_not_visible() -> None:
    """What expired is gone."""
    story = sent(2).at(60).expire(0)
    assert queue(story)["ApproximateNumberOfMessagesVisible"] == 1


def test_CW_9_age_of_the_oldest_message() -> None:
    """Its age in seconds, up to the moment at which it leaves, or up to the end."""
    story = sent().at(10).send()
    story.at(40).receive(0).start().finish().delete()
    assert queue(story)["ApproximateAgeOfOldestMessage"] == 40
    assert queue(story.at(90))["ApproximateAgeOfOldestMessage"] == 80


def test_DLQ_11_CW_9_age_in_a_dead_letter_queue_counts_from_the_move() -> None:
    """A message is as old there as it has been there."""
    story = sent().at(100).dead_letter(0).at(130)
    assert queue(story)["ApproximateAgeOfOldestMessage"] == 100
    assert queue(story, "orders-dlq")["ApproximateAgeOfOldestMessage"] == 30


# AWS/Lambda


def test_LC_14_CW_14_CW_16_CW_28_throttles_are_neither_invocations_nor_errors() -> None:
    """Each retry of a poller counts as a throttle, and as nothing else."""
    story = sent()
    story.receive(0).throttle().throttle()
    figures = function(story)
    assert (figures["Throttles"], figures["Invocations"], figures["Errors"]) == (2, 0, 0)
    assert mapping(story)["InvokedEventCount"] == 0


@pytest.mark.parametrize(("outcome", "errors"), [("succeeded", 0), ("raised", 1), ("timed_out", 1), ("crashed", 1)])
def test_CW_14_CW_15_errors_are_invocations_that_end_in_one(outcome: Outcome, errors: int) -> None:
    """Exceptions, timeouts and crashes are errors of invocations."""
    story = sent()
    story.receive(0).start().finish(outcome)
    assert (function(story)["Invocations"], function(story)["Errors"]) == (1, errors)


def test_PB_14_CW_29_reported_messages_are_no_error() -> None:
    """A partial batch response leaves Errors alone, and counts its messages as failed."""
    story = sent(3)
    story.receive(0, 1, 2).start().finish(failed=(1, 2))
    assert (function(story)["Errors"], mapping(story)["FailedInvokeEventCount"]) == (0, 2)


def test_CW_15_CW_29_errors_have_the_moment_of_the_start() -> None:
    """CloudWatch files an error under the moment at which its invocation started."""
    story = sent().at(50)
    batch = story.receive(0).start()
    story.at(70)
    batch.finish("raised")
    assert story.end().series("Errors", "worker") == [(0, 1), (60, 0)]
    assert story.end().series("FailedInvokeEventCount", "orders→worker") == [(0, 0), (60, 1)]


def test_CW_17_duration_is_the_mean_of_what_has_ended() -> None:
    """Milliseconds in the handler, a mean over the invocations that have ended."""
    story = sent(3)
    batches = [story.receive(message).start() for message in range(3)]
    story.at(1)
    batches[0].finish()
    story.at(2)
    batches[1].finish()
    assert function(story)["Duration"] == 1500
    assert function(sent())["Duration"] == 0


def test_CW_18_concurrent_executions_is_a_maximum() -> None:
    """As many as ever ran at once."""
    story = sent(3)
    first = story.receive(0).start()
    story.receive(1).start()
    first.finish()
    story.receive(2).start()
    assert function(story)["ConcurrentExecutions"] == 2


# Event source mappings


def test_CW_26_polled_event_count_and_batches() -> None:
    """What a poller saw; a receive whose answer got lost it did not see."""
    story = sent(3)
    story.receive(0, 1)
    story.receive(2, fault="lost_receive")
    assert (mapping(story)["PolledEventCount"], mapping(story)["batches"]) == (2, 1)


def test_CW_28_invoked_event_count_counts_each_attempt() -> None:
    """A message that is handed out twice counts twice."""
    story = sent(2)
    story.receive(0, 1).start().finish("raised")
    story.at(30).give_back(0, 1).receive(0, 1).start().finish()
    figures = mapping(story)
    assert (figures["InvokedEventCount"], figures["FailedInvokeEventCount"]) == (4, 2)


def test_LX_11_CW_14_CW_29_service_errors_fail_without_an_invocation() -> None:
    """An answer of Lambda's own is a failed invoke, and no invocation."""
    story = sent(2)
    story.receive(0, 1).service_error()
    assert (mapping(story)["FailedInvokeEventCount"], function(story)["Invocations"]) == (2, 0)


def test_FL_11_CW_27_CW_30_filtered_messages() -> None:
    """What no filter lets pass is polled and deleted, but never invoked; the mapping itself counts no delete."""
    story = sent(2)
    story.receive(0, 1).filter_out()
    figures = mapping(story)
    assert (figures["PolledEventCount"], figures["FilteredOutEventCount"], figures["InvokedEventCount"]) == (2, 2, 0)
    assert (queue(story)["NumberOfMessagesDeleted"], messages(story)["remaining"]) == (2, 0)
    assert queue(story)["ApproximateNumberOfMessagesNotVisible"] == 2
    assert queue(story)["ApproximateNumberOfMessagesVisible"] == 0


# Messages


def test_messages_are_counted_once() -> None:
    """Processed, processed twice, dead-lettered and expired count messages, not events."""
    story = sent(6)
    story.receive(0).start().finish().delete(stayed=(0,), fault=FAULT)
    story.at(30).give_back(0).receive(0).start().finish().delete()
    story.receive(1).throttle().release("throttled")
    story.receive(2).start().finish("raised").release("failed")
    story.at(60).give_back(1, 2).dead_letter(1).dead_letter(2)
    story.at(90).expire(3)
    assert messages(story) == {
        "sent": 6,
        "processed": 1,
        "processed_twice": 1,
        "dead_lettered": 2,
        "dead_lettered_unprocessed": 2,
        "dead_lettered_by_throttling": 1,
        "expired": 1,
        "remaining": 2,
    }


def test_processed_message_that_is_dead_lettered_is_not_unprocessed() -> None:
    """A lost delete may dead-letter a message that was processed."""
    story = sent()
    story.receive(0).start().finish().delete(stayed=(0,), fault=FAULT)
    story.at(30).give_back(0).dead_letter(0)
    counted = messages(story)
    assert (counted["dead_lettered"], counted["dead_lettered_unprocessed"], counted["remaining"]) == (1, 0, 0)


def test_reported_message_is_not_processed() -> None:
    """A message that was named as failed was not processed."""
    story = sent(2)
    story.receive(0, 1).start().finish(failed=(1,)).delete(0)
    assert (messages(story)["processed"], messages(story)["remaining"]) == (1, 1)


def test_remaining_messages_are_where_a_mapping_can_reach_them() -> None:
    """A late delete does not reach a message that has moved on to a polled dead-letter queue: it remains."""
    queues = [
        Queue("orders", redrive=Redrive("retries", 1)),
        Queue("retries", redrive=Redrive("dead", 1)),
        Queue("dead"),
    ]
    mappings = [EventSourceMapping(name, "worker") for name in ("orders", "retries")]
    story = Story(Design(queues, [Function("worker")], mappings)).send()
    batch = story.receive(0).start()
    story.at(30).give_back(0).dead_letter(0, target="retries")
    batch.finish().delete()
    assert messages(story)["remaining"] == 1
    assert messages(story.expire(0, queue="retries"))["remaining"] == 0


def test_message_in_a_dead_letter_queue_that_nobody_polls_does_not_remain() -> None:
    """Nothing more will happen to it."""
    assert messages(sent(2).dead_letter(0))["remaining"] == 1


# The whole


def test_summary_is_json_and_knows_when_it_was_drained() -> None:
    """The summary can be written as it is, times in seconds."""
    story = sent().at(1.5)
    story.receive(0).start().finish().delete()
    summary = story.end(drained=True).summary()
    assert json.loads(json.dumps(summary)) == summary
    assert (summary["drained_at"], summary["ended_at"]) == (1.5, 1.5)
    assert story.end().summary()["drained_at"] is None


def test_events_that_no_metric_knows_are_passed_over() -> None:
    """The number of pollers is no metric of CloudWatch's."""
    story = sent()
    before = story.end().summary()
    story.tell(PollersChanged(0, None, "orders→worker", 5, "first pollers"))
    assert story.end().summary() == before

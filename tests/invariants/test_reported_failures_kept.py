"""The duty of a poller after an answer that names failed messages."""

from __future__ import annotations

from chaosqs.invariants import REPORTED_FAILURES_KEPT
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.verdict import Status
from tests.invariants.builder import Story, orders_design

judge = REPORTED_FAILURES_KEPT.judge


def story_of(*, reported: bool = True) -> Story:
    mapping = EventSourceMapping("orders", "worker", batch_size=10, report_batch_item_failures=reported)
    return Story(orders_design(mapping=mapping)).send(3)


def test_failed_stay_and_others_go() -> None:
    """Each message of an answer with failures counts, whichever way it went."""
    story = story_of()
    story.receive(0, 1, 2).start().finish(failed=(1,)).delete(0, 2)
    verdict = judge(story.end())
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 3)


def test_nothing_to_delete_where_all_failed() -> None:
    """An answer that names the whole batch leaves all of it."""
    story = story_of()
    story.receive(0, 1).start().finish(failed=(0, 1))
    assert judge(story.end()).status is Status.HOLDS


def test_EF_2_deleted_although_it_failed() -> None:
    """Blamed are the answer and the delete; the text names the setting that is off."""
    story = story_of(reported=False)
    story.receive(0, 1).start().finish(failed=(1,)).delete()
    (violation,) = judge(story.end()).violations
    assert (violation.messages, violation.events) == ((1,), (5, 6))
    assert violation.text.endswith("reported it as failed: report_batch_item_failures is off.")


def test_late_delete_of_a_failed_message_does_no_harm() -> None:
    """What the delete did not remove is still there (RH-4)."""
    story = story_of(reported=False)
    story.receive(0, 1).start().finish(failed=(1,)).delete(stayed=(0, 1))
    assert judge(story.end()).status is Status.HOLDS


def test_each_neighbour_that_is_kept_is_blamed() -> None:
    """One violation a message."""
    story = story_of()
    story.receive(0, 1, 2).start().finish(failed=(1,)).delete(2)
    assert [violation.messages for violation in judge(story.end()).violations] == [(0,)]


def test_faults_of_the_delete_excuse() -> None:
    """A poller that restarts keeps the whole batch."""
    story = story_of()
    story.receive(0, 1).start().finish(failed=(1,)).delete(1, fault="partial_delete at receive 1 of message 1")
    verdict = judge(story.end())
    assert [violation.messages for violation in verdict.violations] == [(1,)]
    (excuse,) = verdict.excused
    assert excuse == (
        "Message 1 was not deleted although worker reported only message 2 as failed, "
        "but only by a fault: partial_delete at receive 1 of message 1"
    )


def test_answer_that_nobody_heard_promises_nothing() -> None:
    """Without an answer the poller keeps all (EP-13)."""
    story = story_of()
    story.receive(0, 1).start().finish(failed=(1,), answered=False, fault="lost_response").release("no answer")
    verdict = judge(story.end())
    assert (verdict.status, verdict.reason) == (Status.NOT_EXERCISED, "no function reported a message as failed")


def test_design_without_polling_mappings_is_not_judged() -> None:
    """Nothing polls, nothing is answered."""
    mapping = EventSourceMapping("orders", "worker", enabled=False)
    assert judge(Story(orders_design(mapping=mapping)).end()).status is Status.NOT_APPLICABLE

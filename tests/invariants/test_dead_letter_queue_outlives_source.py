"""How long a dead letter can be looked at."""

from __future__ import annotations

import pytest

from chaosqs.invariants import DEAD_LETTER_QUEUE_OUTLIVES_SOURCE, by_name, dead_letters_kept
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue, Redrive
from chaosqs.model.verdict import Status, Verdict
from tests.invariants.builder import Story, fifo_design

judge = DEAD_LETTER_QUEUE_OUTLIVES_SOURCE.judge
DAY = 86_400


def story_of(*, source: int, dead_letters: int, polled: bool = False) -> Story:
    queues = [
        Queue("orders", retention_period=source, redrive=Redrive("dlq", 1)),
        Queue("dlq", retention_period=dead_letters),
    ]
    mappings = [EventSourceMapping("orders", "worker"), *[EventSourceMapping("dlq", "worker")] * polled]
    return Story(Design(queues, [Function("worker")], mappings)).send()


def moved_after(seconds: int, *, source: int, dead_letters: int, polled: bool = False) -> Verdict:
    story = story_of(source=source, dead_letters=dead_letters, polled=polled)
    return judge(story.at(seconds).dead_letter(0, target="dlq").end())


@pytest.mark.parametrize("polled", [False, True])
def test_DLQ_9_a_message_that_is_gone_on_arrival(polled: bool) -> None:  # noqa: FBT001
    """It is older than the dead-letter queue keeps messages: a week of retries, and four days."""
    (violation,) = moved_after(7 * DAY, source=14 * DAY, dead_letters=4 * DAY, polled=polled).violations
    assert (violation.queue, violation.events) == ("orders", (1,))
    assert violation.text == (
        "Message 1 was gone as soon as it came to dlq: it brought an age of 7 days from orders, "
        "and dlq keeps messages for 4 days from the sending."
    )


def test_DLQ_9_too_little_time_is_left() -> None:
    """The sentence says how much, and the limit."""
    (violation,) = moved_after(50 * 3_600, source=4 * DAY, dead_letters=3 * DAY).violations
    assert violation.text == (
        "Message 1 can be looked at in dlq for 22 hours only: it brought an age of 2.083 days from orders, "
        "and dlq keeps messages for 3 days from the sending; the limit is 24 hours."
    )


@pytest.mark.parametrize(("after", "kept"), [(60, 14 * DAY), (7 * DAY, 14 * DAY), (DAY, 2 * DAY)])
def test_a_day_is_enough(after: int, kept: int) -> None:
    """Also where the source keeps messages as long as the dead-letter queue, at AWS's maximum of 14 days."""
    verdict = moved_after(after, source=14 * DAY, dead_letters=kept)
    assert (verdict.status, verdict.exercised) == (Status.HOLDS, 1)


def test_a_function_that_polls_needs_no_day() -> None:
    """It looks at once."""
    assert moved_after(60, source=DAY, dead_letters=3_600, polled=True).status is Status.HOLDS


@pytest.mark.parametrize(("limit", "status"), [(3_540, Status.HOLDS), (3_541, Status.VIOLATED)])
def test_a_team_sets_its_own_limit(limit: int, status: Status) -> None:
    """By name, too."""
    history = story_of(source=DAY, dead_letters=3_600).at(60).dead_letter(0, target="dlq").end()
    own = dead_letters_kept(limit)
    assert own.judge(history).status is status
    assert by_name(own.name).judge(history) == own.judge(history)


@pytest.mark.parametrize("limit", [0, True])
def test_a_limit_is_a_number_of_seconds(limit: int) -> None:
    """Nothing else."""
    with pytest.raises(ValueError, match="seconds must be a whole number, 1 or more"):
        dead_letters_kept(limit)


def test_RT_3_retention_that_an_operator_shortens_is_no_mistake_of_the_design() -> None:
    """A later change expires what had time enough; before the move it counts as the design's."""
    story = story_of(source=DAY, dead_letters=2 * DAY).at(30).dead_letter(0, target="dlq")
    verdict = judge(story.operate("dlq", "retention_period", 90).at(90).expire(0, queue="dlq").end())
    assert (verdict.status, verdict.excused) == (
        Status.HOLDS,
        ("Message 1 expired in dlq too soon, but an operator changed retention_period of dlq to 90",),
    )


def test_DLQ_10_fifo_queues_count_from_the_move() -> None:
    """So the age does not matter, and the dead-letter queue's own period does."""
    story = Story(fifo_design()).send(queue="orders.fifo", group="a").at(3 * DAY)
    assert judge(story.dead_letter(0, "orders.fifo", "orders-dlq.fifo").end()).status is Status.HOLDS


def test_designs_without_dead_letters() -> None:
    """There is nothing to promise."""
    assert judge(Story(Design([Queue("orders")])).end()).status is Status.NOT_APPLICABLE
    assert judge(story_of(source=60, dead_letters=60).end()).reason == "no message was dead-lettered"

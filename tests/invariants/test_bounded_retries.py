"""The bound on the returns of a message."""

from __future__ import annotations

import pytest

from chaosqs.invariants import BOUNDED_RETRIES, bounded_retries, by_name
from chaosqs.model.design import EventSourceMapping
from chaosqs.model.verdict import Status
from tests.invariants.builder import Story, orders_design

judge = bounded_retries(3).judge


def retried(times: int, *, max_receive_count: int | None = None, fault: str = "") -> Story:
    story = Story(orders_design(max_receive_count=max_receive_count)).send()
    for attempt in range(times):
        story.at(30 * attempt)
        story.receive(0).start().finish("raised", fault=fault if attempt == 0 else "").release("failed")
        story.at(30 * attempt + 30).give_back(0)
    return story


@pytest.mark.parametrize(("times", "status"), [(3, Status.HOLDS), (4, Status.VIOLATED)])
def test_without_a_redrive_policy_the_stated_number_is_the_limit(times: int, status: Status) -> None:
    """Each delivery after the first one counts; the one too many is blamed."""
    verdict = judge(retried(times).end())
    assert (verdict.status, verdict.exercised) == (status, times - 1)


def test_text_tells_how_often_and_for_how_long() -> None:
    """All deliveries of the run, from the first receive to the last."""
    (violation,) = judge(retried(6).end()).violations
    assert violation.at == 90_000
    assert violation.text == (
        "Message 1 was received 6 times from orders in 150.0 s, and worker never succeeded on it: "
        "orders has no redrive policy."
    )


def test_success_in_the_end_is_patience() -> None:
    """A message that was processed at last was not retried in vain."""
    story = retried(5)
    story.receive(0).start().finish().delete()
    assert judge(story.end()).status is Status.HOLDS


def test_faults_excuse_where_they_made_the_difference() -> None:
    """Without the delivery that a fault cost, it had not been too many."""
    fault = "error at receive 1 of message 1"
    verdict = judge(retried(4, fault=fault).end())
    assert verdict.status is Status.HOLDS
    assert verdict.excused[0].endswith(f"but faults had their share: {fault}")
    assert judge(retried(5, fault=fault).end()).status is Status.VIOLATED


def test_DLQ_3_max_receive_count_is_the_limit_where_there_is_one() -> None:
    """However many that are: here the fake broke its own rule."""
    (violation,) = judge(retried(3, max_receive_count=2).end()).violations
    assert violation.text == "Message 1 was received 3 times from orders: max_receive_count is 2."
    assert judge(retried(10, max_receive_count=10).end()).status is Status.HOLDS


def test_max_receive_count_that_an_operator_lowers() -> None:
    """The largest that a queue had is the limit."""
    story = Story(orders_design(max_receive_count=1)).operate("orders", "max_receive_count", 2).send()
    for _ in range(2):
        story.receive(0).start().finish("raised").release("failed")
        story.give_back(0)
    assert judge(story.operate("orders", "max_receive_count", 1).end()).status is Status.HOLDS


def test_nothing_to_judge() -> None:
    """Nothing polls, or nothing was received twice."""
    mapping = EventSourceMapping("orders", "worker", enabled=False)
    assert judge(Story(orders_design(mapping=mapping)).end()).status is Status.NOT_APPLICABLE
    assert judge(retried(1).end()).reason == "no message was received twice"


def test_name_tells_the_number() -> None:
    """Counterexamples are replayed by the name of their invariant; the usual number is not told."""
    assert by_name("bounded-retries") is BOUNDED_RETRIES
    assert by_name("bounded-retries-up-to-3").judge(retried(4).end()).status is Status.VIOLATED
    assert by_name("bounded-retries-up-to-4").judge(retried(4).end()).status is Status.HOLDS
    (violation,) = judge(retried(4).end()).violations
    assert violation.invariant == "bounded-retries-up-to-3"

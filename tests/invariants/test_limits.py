from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chaosqs import invariants
from chaosqs.invariants import Invariant, by_name, downstream_concurrency, oldest_message, throttle_rate
from chaosqs.model.design import Design, Queue
from chaosqs.model.history import History
from chaosqs.model.verdict import Status
from tests.invariants.builder import Story, orders_design

NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True)
FIGURES = st.floats(0.001, 1e7).map(lambda value: round(value, 3))
LIMITS = st.one_of(
    st.builds(oldest_message, FIGURES, st.none() | NAMES | NAMES.map("{}.fifo".format)),
    st.builds(downstream_concurrency, st.integers(1, 10_000), st.lists(NAMES, max_size=3, unique=True)),
    st.builds(throttle_rate, st.sampled_from((0, 0.001, 0.05, 0.1, 0.29, 0.333, 1)), st.none() | NAMES),
)


@given(LIMITS)
def test_a_limit_is_made_again_from_its_name(limit: Invariant) -> None:
    """So a counterexample that names it can be judged anywhere."""
    again = by_name(limit.name)
    assert (again.name, again.title, again.statement) == (limit.name, limit.title, limit.statement)


WRONG: dict[str, Callable[[], Invariant]] = {
    "no time": lambda: oldest_message(0),
    "less than no time": lambda: oldest_message(-1),
    "no number": lambda: oldest_message(float("nan")),
    "no end": lambda: oldest_message(float("inf")),
    "no execution": lambda: downstream_concurrency(0),
    "no whole number": lambda: downstream_concurrency(True),  # noqa: FBT003 - what a slip looks like
    "more than all": lambda: throttle_rate(1.1),
    "less than none": lambda: throttle_rate(-0.1),
    "a name with no time": lambda: by_name("oldest-message-within-0-s"),
    "a name with more than all": lambda: by_name("throttle-rate-up-to-200-percent"),
    "a name without a figure": lambda: by_name("oldest-message-within-soon"),
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_a_limit_that_means_nothing_is_refused(wrong: Callable[[], Invariant]) -> None:
    """With a ValueError, before anything is judged by it."""
    with pytest.raises(ValueError, match=r"must be a|no invariant is called"):
        wrong()


def waits(seconds: float) -> History:
    return Story(orders_design()).send().at(seconds).end()


def test_a_message_that_is_still_there_gets_old_too() -> None:
    """It need not leave for that; the moment is the one at which it reached the limit."""
    (violation,) = oldest_message(20).judge(waits(30)).violations
    assert violation.text == "Message 1 came to orders at 0.0 s and was still there after 30.0 s: the limit is 20.0 s."
    assert (violation.at, violation.queue, violation.messages) == (20_000, "orders", (0,))
    assert oldest_message(20).judge(waits(20)).status is Status.HOLDS


def test_the_age_in_a_dead_letter_queue_counts_from_the_move_DLQ_11() -> None:
    """Each stay is one of its own."""
    story = Story(orders_design()).send().at(15)
    history = story.dead_letter(0).at(30).end()
    assert oldest_message(20, "orders-dlq").judge(history).status is Status.HOLDS
    assert oldest_message(10, "orders-dlq").judge(history).status is Status.VIOLATED
    assert len(oldest_message(10).judge(history).violations) == 1, "a dead-letter queue that nobody polls is no queue"


def test_a_message_is_blamed_once() -> None:
    """However often it comes back."""
    story = Story(orders_design()).send().at(30)
    story.receive(0).start().finish().delete()
    story.at(31).give_back(0)
    assert len(oldest_message(20).judge(story.at(60).end()).violations) == 1


@pytest.mark.parametrize(
    "limit",
    [oldest_message(9, "returns"), downstream_concurrency(1, ["auditor"]), throttle_rate(0, "auditor")],
    ids=lambda limit: limit.name,
)
def test_a_limit_of_what_the_design_has_not_does_not_apply(limit: Invariant) -> None:
    """It says what is missing."""
    verdict = limit.judge(waits(1))
    assert verdict.status is Status.NOT_APPLICABLE
    assert "the design has no " in verdict.reason


@pytest.mark.parametrize(
    "limit", [oldest_message(9), downstream_concurrency(1), throttle_rate(0)], ids=lambda limit: limit.name
)
def test_a_run_in_which_nothing_happens_shows_nothing(limit: Invariant) -> None:
    """And a design with no function has nothing to limit."""
    assert limit.judge(Story(orders_design()).end()).status is Status.NOT_EXERCISED
    assert limit.judge(Story(Design([Queue("orders")])).end()).status is Status.NOT_APPLICABLE


def test_executions_are_blamed_once_for_each_time_over_the_limit() -> None:
    """With all that ran then."""
    story = Story(orders_design()).send(4)
    first = story.receive(0).start()
    story.receive(1, poller=2).start()
    first.finish().delete()
    story.receive(2, poller=3).start()
    violations = downstream_concurrency(1).judge(story.end()).violations
    assert [len(violation.events) for violation in violations] == [2, 2]


def test_throttles_of_faults_are_excused() -> None:
    """They say nothing about the design."""
    story = Story(orders_design()).send()
    story.receive(0).throttle(fault="throttled at receive 1 of message 1")
    verdict = throttle_rate(0).judge(story.end())
    assert verdict.excused == ("1 throttle of worker came from faults",)
    assert verdict.status is Status.NOT_EXERCISED


def test_limits_are_no_part_of_all() -> None:
    """Nobody is judged by a limit that he has not set."""
    assert not [one for one in invariants.ALL if one.name.startswith(("oldest", "downstream", "throttle-rate"))]

"""A second process simulates ahead, and nothing else changes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from chaosqs.project.child import Child
from chaosqs.simulation.run import simulate
from tests.search import ahead_jobs
from tests.search.ahead_jobs import SCENARIOS

DIGESTS = [simulate(each).digest for each in SCENARIOS]


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    """Return a child process, whose workers may fork."""
    child = Child(Path(__file__).parents[2])
    yield child
    child.close()


@pytest.mark.parametrize(("job", "shared"), [(ahead_jobs.simulates_in_two, True), (ahead_jobs.simulates_alone, False)])
def test_the_histories_are_the_same_whoever_makes_them(
    child: Child, job: Callable[[str], str], *, shared: bool
) -> None:
    """In the order of the tasks."""
    assert json.loads(child.run(job, "", group="ahead"))[:2] == [DIGESTS, shared]


def test_an_error_is_raised_in_the_first_process(child: Child) -> None:
    """It does the task again."""
    assert json.loads(child.run(ahead_jobs.raises_in_both, "", group="ahead"))[0] == [DIGESTS[0], "wrong"]


def test_a_task_that_ends_the_second_process_is_done_again_at_once(child: Child) -> None:
    """It is then found by those who watch the first process."""
    assert json.loads(child.run(ahead_jobs.ends_the_second, "", group="ends")) == [DIGESTS[:2], True, False]


def test_a_task_that_takes_too_long_is_done_again_without_the_second_process(child: Child) -> None:
    """Code that never ends is found by those who watch the first process."""
    assert json.loads(child.run(ahead_jobs.is_stuck_in_the_second, "", group="ahead")) == [DIGESTS[:2], True, False]


def test_garbage_is_collected_after_runs_and_when_the_process_has_grown(child: Child) -> None:
    """Collecting it takes a quarter of the time of searches in which it is not worth it."""
    assert json.loads(child.run(ahead_jobs.collects_garbage, "", group="garbage")) == [True, False]

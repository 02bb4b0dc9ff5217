"""Errors name what is wrong and what would be right."""

from __future__ import annotations

import pytest

from chaosqs.errors import InvalidDesign, InvalidInput, InvalidScenario, InvariantViolated, Problem, SimulationError


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (Problem("era", "", "is required"), "era: is required"),
        (
            Problem("delay", "901", "must be 0 to 900", "DL-1"),
            "delay = 901: must be 0 to 900 (DL-1)",
        ),
        (Problem("delay", "901", "must be 0 to 900", where="t.yaml:41"), "t.yaml:41: delay = 901: must be 0 to 900"),
    ],
)
def test_problem_reads_as_a_line(problem: Problem, text: str) -> None:
    """Where it came from, path, value, what would be right, and the rule, as far as they are known."""
    assert str(problem) == text


def test_invalid_input_lists_problems() -> None:
    """A line a problem; the problems are there as data too."""
    problems = [Problem("a", "1", "must be 2"), Problem("b", "", "is required")]
    error = InvalidDesign(problems)
    assert str(error) == "a = 1: must be 2\nb: is required"
    assert error.problems == tuple(problems)


def test_invalid_input_may_be_one_sentence() -> None:
    """Where there is nothing to list, a sentence does."""
    error = InvalidScenario("not JSON")
    assert (str(error), error.problems) == ("not JSON", ())


def test_families() -> None:
    """Wrong input is a ValueError, a violation an AssertionError, a bug of chaosqs neither."""
    assert issubclass(InvalidInput, ValueError)
    assert issubclass(InvariantViolated, AssertionError)
    assert not issubclass(SimulationError, (ValueError, AssertionError))

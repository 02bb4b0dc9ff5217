"""Stories and reports show the error of real code with file and line, and the last lines of its output, escaped."""

from __future__ import annotations

import attrs

from chaosqs.invariants import NO_EARLY_DEAD_LETTERING
from chaosqs.model.counterexample import Counterexample
from chaosqs.model.events import InvocationEnded
from chaosqs.model.explanation import Explanation
from chaosqs.model.history import History
from chaosqs.model.verdict import Violation
from chaosqs.report.markdown import markdown
from chaosqs.report.story import LINES, story
from tests.invariants.builder import Story, orders_design

FRAMES = ("invoice.py:9 in handler", "invoice.py:13 in write")
PRINTED = ("first", "second", "\x1b[31mred", "x" * 300)


def failed(*, trace: tuple[str, ...] = FRAMES, output: tuple[str, ...] = PRINTED) -> tuple[Counterexample, History]:
    told = Story(orders_design()).send()
    batch = told.receive(0).start().finish("raised")
    end = told.events[batch.last]
    assert isinstance(end, InvocationEnded)
    told.events[batch.last] = attrs.evolve(end, error="KeyError: 'order'", trace=trace, output=output)
    batch.release("failed")
    history = told.at(30).give_back(0).dead_letter(0).end()
    name = NO_EARLY_DEAD_LETTERING.name
    violation = Violation(name, "Message 1 is gone.", 30_000, "orders", (0,), (len(history.events) - 1,))
    found = Counterexample(
        "d.yaml", "orders→worker", name, violation, history.scenario, history.digest, explanation=Explanation()
    )
    return found, history


def test_a_story_shows_the_error_and_the_last_lines() -> None:
    """Three lines of output, on one line each, and the place of the error."""
    told = story(*failed()).splitlines()
    (error,) = (line for line in told if line.startswith("  Error"))
    assert error == "  Error           KeyError: 'order' at invoice.py:13 in write, called at invoice.py:9 in handler"
    first = next(index for index, line in enumerate(told) if line.startswith("  Output"))
    assert told[first] == "  Output          second"
    assert told[first + 1] == r"                  \x1b[31mred"
    assert told[first + 2].endswith("…")
    assert all(len(line) <= 110 for line in told)
    assert len(told) <= LINES
    assert any("the function raises KeyError: 'order' on" in line for line in told)


def test_a_story_of_a_model_says_nothing_of_the_kind() -> None:
    """A model prints nothing, and its error is nobody's."""
    told = story(*failed(trace=(), output=()))
    assert "Output" not in told
    assert "  Error" not in told
    assert "the function raises an error on" in told


def test_a_report_shows_all_lines_that_were_kept() -> None:
    """In a section of their own, in a code block, escaped."""
    text = markdown(*failed(), replay="scenario.json")
    section = text.partition("## What the code said")[2].partition("## As a test")[0]
    assert "KeyError: 'order' at invoice.py:13 in write, called at invoice.py:9 in handler" in section
    assert "first\nsecond\n\\x1b[31mred\n" in section
    assert "What the code said" not in markdown(*failed(trace=(), output=()), replay="scenario.json")

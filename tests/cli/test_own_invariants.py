"""Limits and promises of a project's own, from its table or beside its design, on the command line and in pytest."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chaosqs.project import exploration
from tests.cli.running import Run
from tests.project.kept import artefact

INVARIANTS = """
import chaosqs

@chaosqs.invariant("Nothing is ever sent.")
def nothing_is_sent(history):
    for event in history.events:
        if type(event).__name__ == "Sent":
            yield "Something was sent.", event

@chaosqs.invariant("A promise with a mistake in it.")
def mistaken(history):
    return {}["seven"]

no_promise = 3
"""
DESIGN = """
import chaosqs
from chaosqs import Design, EventSourceMapping, Function, Queue

orders = Design([Queue("orders")], [Function("worker")], [EventSourceMapping("orders", "worker")])

@chaosqs.invariant("No run has an event.")
def no_events(history):
    assert not history.events, "There was an event."
"""
EXPLORE = ("explore", "sound.yaml", "--max-examples=5", "--seed=1")


@pytest.fixture
def project(run: Run) -> Run:
    Path("promises.py").write_text(INVARIANTS, encoding="utf-8")
    Path("designs.py").write_text(DESIGN, encoding="utf-8")
    return run


def table(text: str) -> None:
    Path("pyproject.toml").write_text(f"[tool.chaosqs]\n{text}\n", encoding="utf-8")


def test_an_invariant_of_the_projects_own_is_judged_told_and_replayed(project: Run) -> None:
    """As ours are; and without its setting a replay says that it does not know it."""
    table('invariants = ["promises.py:nothing_is_sent"]')
    result = project(*EXPLORE)
    assert result.exit_code == 1
    assert "nothing is sent" in result.output
    assert "Something was sent." in result.output
    file = next(str(path) for path in Path("reports").glob("*nothing-is-sent/scenario.json"))
    assert "STILL FAILS" in project("replay", file).output
    Path(file).write_text(
        Path(file).read_text(encoding="utf-8").replace("nothing-is-sent", "unheard-of"), encoding="utf-8"
    )
    unknown = project("replay", file)
    assert unknown.exit_code == 2
    assert "no invariant is called 'unheard-of'" in unknown.output


def test_invariants_beside_a_design_are_found(project: Run) -> None:
    """Nobody needs to name them."""
    result = project("explore", "designs.py:orders", "--max-examples=3")
    assert result.exit_code == 1
    assert "There was an event." in result.output
    file = next(str(path) for path in Path("reports").glob("*no-events/scenario.json"))
    assert "STILL FAILS" in project("replay", file).output


def test_an_invariant_that_raises_is_an_error(project: Run) -> None:
    """Neither a pass nor a violation: the table says INCONCLUSIVE, the traceback follows, and the status is 2."""
    table('invariants = ["promises.py:mistaken"]')
    result = project(*EXPLORE)
    assert result.exit_code == 2
    assert re.search(r"mistaken +INCONCLUSIVE +KeyError: 'seven', 5 cases", result.output)
    assert 'return {}["seven"]' in result.output


def test_limits_of_the_table_are_judged(project: Run) -> None:
    """Spelt with dashes, or as Python would."""
    table("[tool.chaosqs.limits]\noldest-message = 0.001\ndownstream_concurrency = 500\nthrottle-rate = 0.05")
    result = project(*EXPLORE)
    assert result.exit_code == 1
    assert "oldest message within 0.001 s" in result.output
    assert "downstream concurrency up to 500" in result.output
    assert "throttle rate up to 5 percent" in result.output


def test_what_is_judged_when_asked_for_can_be_asked_for(project: Run) -> None:
    """By its name."""
    assert '"no-starvation"' not in project(*EXPLORE, "--json").output
    table('invariants = ["no-starvation"]')
    assert '"no-starvation"' in project(*EXPLORE, "--json").output


WRONG = {
    "an unknown name": ('invariants = ["no-such"]', "pyproject.toml, [tool.chaosqs]: invariants: no invariant is"),
    "no such file": ('invariants = ["nowhere.py:x"]', "nowhere.py: there is no such file"),
    "no such promise": ('invariants = ["promises.py:x"]', "promises.py: defines no 'x'"),
    "no promise": ('invariants = ["promises.py:no_promise"]', "promises.py:no_promise: must be an invariant"),
    "no time": ("limits = {oldest-message = 0}", "limits.oldest_message = 0: must be a number"),
    "no execution": ("limits = {downstream-concurrency = 0}", "limits.downstream_concurrency = 0: must be a whole"),
    "over all": ("limits = {throttle-rate = 5}", "limits.throttle_rate = 5: must be a number from 0 to 1"),
    "a word": ('limits = {throttle-rate = "5 %"}', "limits.throttle_rate: must be a number"),
    "an unknown limit": ("limits = {oldest-mesage = 5}", "limits.oldest_mesage: unknown field"),
    "no table": ("limits = 3", "limits: must be an object"),
}


@pytest.mark.parametrize(("text", "said"), WRONG.values(), ids=WRONG)
def test_a_slip_in_the_table_is_refused(project: Run, text: str, said: str) -> None:
    """With what is wrong, and exit status 2."""
    table(text)
    result = project(*EXPLORE)
    assert (result.exit_code, said in result.output) == (2, True), result.output


def test_an_artefact_is_no_violation_unless_strict(project: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """What chaosqs's default assumptions alone produce is told in one line, and the exit status is 0."""
    monkeypatch.setattr(exploration, "explain", artefact)
    for strict, status in (("false", 0), ("true", 1)):
        table(f'invariants = ["promises.py:nothing_is_sent"]\nstrict = {strict}')
        result = project(*EXPLORE)
        assert result.exit_code == status
        assert "artefact: sound.yaml: orders → worker: nothing is sent: in one of 28 assumption sets" in result.output
        assert ("ARTEFACT" in result.output) is (strict == "true")

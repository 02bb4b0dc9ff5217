"""Real handlers that say what they hope for and where they may fail: what the session makes of their sites."""

from __future__ import annotations

import pytest

from tests.plugin.projects import BRIEFLY, IDS

TABLE = """
[tool.pytest.ini_options]
[tool.chaosqs]
invariants = [{invariants}]
handler_seconds = {seconds}
[tool.chaosqs.behaviours.worker]
handler = "{module}:handle"
"""
HOPEFUL = """
import chaosqs

def handle(event, context):
    chaosqs.sometimes("a charge")
    if not event["Records"]:
        chaosqs.sometimes("an empty batch")
"""
FRAGILE = """
import chaosqs

def handle(event, context):
    for record in event["Records"]:
        if chaosqs.fault_point("charge", record):
            raise TimeoutError("the provider does not answer")
"""
INVARIANTS = """
import chaosqs

@chaosqs.invariant("The payment provider always answers.")
def provider_answers(history):
    for event in history.events:
        if "the provider does not answer" in getattr(event, "error", ""):
            yield "The provider did not answer.", event
"""
MOODY = """
import itertools
import sys
import time

calls = vars(sys).setdefault("chaosqs_moody_shop", itertools.count())

def handle(event, context):
    time.sleep(next(calls) % 7)
"""
ESCAPES = """
import os

def handle(event, context):
    os.fork()
"""
EXITS = """
import sys

sys.exit(3)
"""


def with_handler(project: pytest.Pytester, module: str, source: str, *own: str, seconds: float = 0) -> pytest.Pytester:
    """Give a project real code for its function; each test names its module anew, as Python remembers those.

    In pytest's own process, unless seconds are given: then in a child process.
    """
    (project.path / f"{module}.py").write_text(source, encoding="utf-8")
    (project.path / "promises.py").write_text(INVARIANTS, encoding="utf-8")
    invariants = ", ".join(f'"{name}"' for name in own)
    project.makepyprojecttoml(TABLE.format(invariants=invariants, module=module, seconds=seconds))
    return project


def test_the_summary_says_what_no_case_reached(sound: pytest.Pytester) -> None:
    """What does not apply shares a line; what the cases never came to is said below the verdicts, users' marks too."""
    project = with_handler(sound, "hopeful_summary", HOPEFUL)
    result = project.runpytest("--chaosqs", BRIEFLY)
    result.assert_outcomes(passed=len(IDS))
    result.stdout.fnmatch_lines(
        [
            "template.yaml: orders → worker",
            "  conservation *holds*",
            "  not applicable: *fifo order*one group at a time*",
            "  no case of * reached: *",
            "  never reached, though it should be sometimes: an empty batch",
        ]
    )
    result.stdout.no_fnmatch_line("*a charge*")


def test_strictly_a_mark_that_no_case_reached_fails(sound: pytest.Pytester) -> None:
    """`--chaosqs-strict` takes `chaosqs.sometimes` at its word, and says which mark it was."""
    project = with_handler(sound, "hopeful_strict", HOPEFUL)
    result = project.runpytest("--chaosqs", BRIEFLY, "--chaosqs-strict", "-k", "at-least-once")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*at-least-once delivery: holds, but no case of * reached an empty batch (strict*"])
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.usefixtures("hurried", "briefly_explained")
def test_a_fault_in_the_handlers_own_code_is_found_and_named(sound: pytest.Pytester) -> None:
    """The search strikes at `chaosqs.fault_point`, and the story names the site."""
    project = with_handler(sound, "fragile_shop", FRAGILE, "promises.py:provider_answers")
    result = project.runpytest("--chaosqs", "--chaosqs-max-examples=10", "-k", "provider", "-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*The provider did not answer.*", "*fault_point:charge*"])


def test_a_handler_that_contradicts_itself_is_no_verdict(sound: pytest.Pytester) -> None:
    """What differs is told, in plain words and once: neither a pass nor a violation, and no traceback."""
    project = with_handler(sound, "moody_shop", MOODY)
    result = project.runpytest("--chaosqs", BRIEFLY, "-k", "conservation")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*conservation is inconclusive*",
            "two runs of one scenario differ at event *",
            "*InvocationEnded(*",
            "*one scenario ran in two ways: does a handler *",
            "*conservation*INCONCLUSIVE*",
        ]
    )
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize(("style", "seconds"), [("long", 10), ("long", 0), ("short", 0), ("native", 0)])
def test_an_error_in_a_handlers_run_is_told_in_two_lines(sound: pytest.Pytester, style: str, seconds: float) -> None:
    """Whatever `--tb` says: what happened where, and the scenario; nothing of what a world is made of."""
    module = f"escaping_shop_{style}_{seconds}"
    project = with_handler(sound, module, ESCAPES, seconds=seconds)
    result = project.runpytest("--chaosqs", BRIEFLY, "-k", "conservation", f"--tb={style}", "--showlocals")
    result.assert_outcomes(failed=1)
    lines = result.outlines
    first = next(location for location, line in enumerate(lines) if line.strip("_ ").endswith("→worker conservation"))
    last = next(location for location, line in enumerate(lines) if "short test summary" in line)
    assert len(lines[first + 1 : last]) == 2, lines[first + 1 : last]
    assert f"starts a process (os.fork) at {module}.py:5: " in lines[first + 1]
    assert lines[first + 2].startswith("while simulating Scenario(")


def test_a_module_that_exits_when_it_is_imported_fails_its_mapping(sound: pytest.Pytester) -> None:
    """Its items say why, and so does the header; nothing is searched."""
    project = with_handler(sound, "exiting_shop", EXITS, seconds=10)
    result = project.runpytest("--chaosqs", BRIEFLY, "-k", "conservation")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["  orders → worker: exiting_shop.py, handle CANNOT BE RUN*", "*SystemExit: 3*", "*=== FAILURES*"]
    )
    result.stdout.no_fnmatch_line("*Traceback*")

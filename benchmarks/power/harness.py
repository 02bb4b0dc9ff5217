"""Mutants of the harness itself: while a mutant is on, its self-test must fail; otherwise the self-test must pass.

A self-test is a test of this repository that pytest runs in its own process: `python -m benchmarks.power.harness
MUTANT` runs it with the defect on. The process switches the defect on before it imports the test.
"""

from __future__ import annotations

import subprocess
import sys
from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path

import pytest

from benchmarks.power.mutation import Mutation
from benchmarks.power.task import Task, pipeline
from benchmarks.power.tasks import tasks
from chaosqs.model.design import Function

_ROOT = Path(__file__).parents[2]
_IMPORTED = ("-W", "ignore::pytest.PytestAssertRewriteWarning")
"""The package is imported before pytest can rewrite its assertions; the tests are not."""
_QUIET = ("-q", "-x", "-p", "no:cacheprovider", "--no-header", *_IMPORTED)


def harness_mutant(name: str, why: str, switch: Mutation, self_test: str) -> Task:
    """Return the task for a mutant of the harness; `self_test`: the test, or the file of tests, that must fail."""
    return Task(
        name=name,
        kind="harness mutant",
        why=why,
        design=pipeline(function=Function("worker")),  # nothing is searched: a self-test has designs of its own
        invariant="conservation",
        switch=switch,
        self_test=self_test,
    )


def caught(task: Task) -> bool:
    """Return True if the self-test passes without the mutant and fails with it.

    Both runs differ only in the mutant. Raises RuntimeError if the test does not pass without it, or cannot run.
    """
    if _status(task.name, "--sound") != pytest.ExitCode.OK:
        raise RuntimeError(f"{task.self_test} does not pass without the mutant {task.name}: it proves nothing")
    mutated = _status(task.name)
    if mutated not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED}:
        raise RuntimeError(f"{task.self_test} could not be run with the mutant {task.name}")
    return mutated == pytest.ExitCode.TESTS_FAILED


def _status(*arguments: str) -> int:
    command = [sys.executable, "-m", "benchmarks.power.harness", *arguments]
    return subprocess.run(command, cwd=_ROOT, capture_output=True, check=False).returncode


class _Failures:
    """Counts the tests whose own code failed; errors of collection or of pytest are no evidence."""

    def __init__(self) -> None:
        self.count = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.count += report.failed


def main() -> int:
    """Run the self-test of a mutant with the mutant on, or off."""
    options = ArgumentParser(description=__doc__)
    options.add_argument("mutant")
    options.add_argument("--sound", action="store_true")
    chosen = options.parse_args()
    task = next(task for task in tasks("harness mutant") if task.name == chosen.mutant)
    failures = _Failures()
    with nullcontext() if chosen.sound else task.switch():
        status = pytest.main([*_QUIET, task.self_test], plugins=[failures])
    if status == pytest.ExitCode.TESTS_FAILED and not failures.count:
        return int(pytest.ExitCode.INTERNAL_ERROR)
    return int(status)


if __name__ == "__main__":
    sys.exit(main())

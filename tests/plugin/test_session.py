"""What ends a session of pytest early, and what keeps it from failing."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from chaosqs.project import planning
from chaosqs.project.checks import Budget, Check
from chaosqs.project.results import CheckResult, run_check
from tests.plugin.projects import BRIEFLY, BROKEN, FOLDER, SOUND


@pytest.mark.usefixtures("hurried")
def test_a_signal_ends_the_session_after_its_mapping(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What its search found is told and reported, with pytest's own status; the next mapping does not begin."""

    def run_and_signal(check: Check, budget: Budget, *, root: Path, reports: Path) -> CheckResult:
        done = run_check(check, budget, root=root, reports=reports)
        if check.invariant.name == "no-loss-after-send":
            signal.raise_signal(signal.SIGTERM)
        return done

    monkeypatch.setattr(planning, "run_check", run_and_signal)
    for name, text in {"a/template.yaml": BROKEN, "b/template.yaml": SOUND}.items():
        (pytester.path / name).parent.mkdir()
        (pytester.path / name).write_text(text, encoding="utf-8")
    before = signal.getsignal(signal.SIGTERM)
    result = pytester.runpytest("--chaosqs", BRIEFLY)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(
        [
            "VIOLATED a/template.yaml: orders → worker: no dead-lettering by throttling (case *): Message *",
            "  Not tried       how often it happens · other settings *",
            "* chaosqs *",
            "a/template.yaml: orders → worker",
            "  no bystander dead-lettered         VIOLATED *",
            "report: reports/a-template-orders-worker-no-bystander-dead-lettered/report.md",
            "*Interrupted: interrupted (SIGTERM)*",
        ]
    )
    result.stdout.no_fnmatch_line("b/template.yaml: orders*")
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.usefixtures("hurried")
def test_an_accepted_violation_is_an_expected_failure(broken: pytest.Pytester) -> None:
    """The session passes, the summary says why, and the report is written."""
    broken.makepyprojecttoml(
        """
        [[tool.chaosqs.accept]]
        mapping = "orders -> worker"
        invariant = "no-dead-lettering-by-throttling"
        reason = "ticket 123"
        until = 9999-12-31
        """
    )
    result = broken.runpytest("--chaosqs", BRIEFLY, "-k", "no-dead-lettering-by-throttling", "-rx")
    result.assert_outcomes(xfailed=1)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "accepted until 9999-12-31: template.yaml: orders → worker: no dead-lettering by throttling: ticket 123",
            f"report: {FOLDER}/report.md",
            "XFAIL *no-dead-lettering-by-throttling - accepted until 9999-12-31: ticket 123",
        ]
    )


def test_a_budget_that_is_none_is_refused(sound: pytest.Pytester) -> None:
    """As an option, too."""
    result = sound.runpytest("--chaosqs", "--chaosqs-budget=soon")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--chaosqs-budget: must be a time above 0, such as 30s, 2m or 1h, not 'soon'"])

"""Time, signals and explanations on the command line: what was found is told, whatever ends the search."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from chaosqs.project import planning
from chaosqs.project.checks import Budget, Check
from chaosqs.project.planning import Options, plan
from chaosqs.project.results import CheckResult, run_check
from tests.cli.running import Run

BOTH = ("explore", "template.yaml", "sound.yaml", "--max-examples=10")


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> list[signal.Signals]:
    """Return the list of signals that arrive after one check of the first design."""
    signals: list[signal.Signals] = []

    def run_and_signal(check: Check, budget: Budget, *, root: Path, reports: Path) -> CheckResult:
        done = run_check(check, budget, root=root, reports=reports)
        if check.invariant.name == "no-loss-after-send":
            for number in signals:
                signal.raise_signal(number)
        return done

    monkeypatch.setattr(planning, "run_check", run_and_signal)
    return signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_search_and_loses_nothing(
    run: Run, interrupted: list[signal.Signals], number: signal.Signals
) -> None:
    """What the mapping's search found is told and reported; the next design is not begun."""
    interrupted.append(number)
    result = run(*BOTH)
    assert result.exit_code == 130
    assert "no bystander dead-lettered" in result.stdout
    assert f"interrupted ({number.name})" in result.stderr
    assert "sound.yaml: orders → worker" not in result.stdout
    assert list(Path("reports").glob("template-*-no-bystander-dead-lettered/report.md"))


def test_a_second_signal_ends_at_once(run: Run, interrupted: list[signal.Signals]) -> None:
    """What was told before stays told."""
    interrupted += [signal.SIGINT, signal.SIGINT]
    result = run(*BOTH)
    assert result.exit_code == 130
    assert "no dead-lettering by throttling" in result.stdout
    assert "no bystander dead-lettered" not in result.stdout


def test_a_violation_is_told_before_its_explanation(run: Run) -> None:
    """On standard error, as standard output has the results."""
    result = run("explore", "template.yaml", "--max-examples=10", "--no-explain")
    assert result.exit_code == 1
    assert "VIOLATED template.yaml: orders → worker: no dead-lettering by throttling (case " in result.stderr
    assert "VIOLATED template.yaml" not in result.stdout
    assert "the point of no return · --no-explain" in result.stdout


@pytest.mark.parametrize(
    ("table", "given", "seconds"), [("", None, None), ('budget = "2m"', None, 120), ("budget = 90", 5.0, 5)]
)
def test_the_budget_is_the_options_or_the_projects(
    run: Run, table: str, given: float | None, seconds: float | None
) -> None:
    """None of both: no limit."""
    assert run("invariants").exit_code == 0
    Path("pyproject.toml").write_text(f"[tool.chaosqs]\n{table}\n", encoding="utf-8")
    planned = plan(Options(Path.cwd(), Path.cwd(), ("sound.yaml",), budget=given))
    assert (planned.allowance.seconds, planned.allowance.lanes) == (seconds, 1)


def test_accepted_violations_exit_with_0(run: Run) -> None:
    """Without their stories and explanations; and with 2 once one of them is gone."""
    results = json.loads(run("explore", "template.yaml", "--max-examples=5", "--json").stdout)["results"]
    names = [each["invariant"] for each in results if each["status"] == "violated"]
    entry = '[[tool.chaosqs.accept]]\nmapping = "orders→worker"\nreason = "x"\nuntil = 9999-12-31\ninvariant = "{}"\n'
    Path("pyproject.toml").write_text("".join(map(entry.format, names)), encoding="utf-8")
    result = run("explore", "template.yaml", "--max-examples=5")
    assert (result.exit_code, result.stdout.count("accepted until 9999-12-31: ")) == (0, len(names))
    assert names
    assert "Message 1 " not in result.stdout
    reports = [each.read_text(encoding="utf-8") for each in Path("reports").glob("*/report.md")]
    assert len(reports) == len(names)
    assert all("(the violation is accepted)" in report for report in reports)
    with Path("pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(entry.format("conservation"))
    result = run("explore", "template.yaml", "--max-examples=5")
    assert result.exit_code == 2
    assert "NOT ACCEPTED: template.yaml: orders → worker: conservation: it is accepted, but holds (" in result.stdout


@pytest.mark.parametrize("verb", ["explore", "exhaust"])
def test_a_design_in_which_nothing_can_happen_is_refused(run: Run, verb: str) -> None:
    """Silence would look like a pass."""
    Path("empty.py").write_text(
        "from chaosqs import Design, Queue\nnone = Design([Queue('a')], [], [])\n", encoding="utf-8"
    )
    result = run(verb, "empty.py:none")
    assert result.exit_code == 2
    assert result.stderr == "Error: empty.py:none: the design has no mapping, so nothing in it can be judged\n"


def test_exhaustion_ends_with_the_time(run: Run) -> None:
    """It proves nothing then."""
    result = run("exhaust", "sound.yaml", "--budget", "0.000001", "--invariant", "at-least-once-delivery")
    assert result.exit_code == 2
    assert "INCONCLUSIVE" in result.stdout

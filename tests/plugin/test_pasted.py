"""The test that a report offers: pasted into a file of a project, it runs and fails for the reason of the report."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chaosqs.model.counterexample import Counterexample
from chaosqs.model.json import from_json
from chaosqs.project.replay import replay
from chaosqs.report.markdown import source
from tests.project.kept import kept

REPORTS = sorted((Path(__file__).parents[2] / "reports").glob("*/scenario.json"))


def pasted(report: Path) -> str:
    """Return what a report offers to paste."""
    section = report.read_text(encoding="utf-8").partition("\n## As a test\n")[2]
    found = re.match(r"\s*```python\n(.*?)```", section, re.DOTALL)
    assert found is not None, f"{report} offers no test"
    return found[1]


@pytest.mark.parametrize("file", REPORTS, ids=lambda file: file.parent.name)
def test_every_report_has_one_and_it_fails_as_the_report_says(file: Path) -> None:
    """Its message is the sentence of the violation, as a replay tells it."""
    told = replay(from_json(Counterexample, file.read_text(encoding="utf-8"))).counterexample
    names: dict[str, object] = {}
    exec(compile(pasted(file.with_name("report.md")), "pasted.py", "exec"), names)  # noqa: S102 - what a user does
    (test,) = (value for name, value in names.items() if name.startswith("test_") and callable(value))
    with pytest.raises(AssertionError) as caught:
        test()
    assert str(told.violation) in str(caught.value)


def test_there_are_reports() -> None:
    """A test of none shows nothing."""
    assert len(REPORTS) >= 16


def test_it_runs_in_pytest_and_passes_once_the_design_is_mended(pytester: pytest.Pytester) -> None:
    """Without the plugin's option, as any test of the project."""
    found = kept()
    text = source(found.scenario, found.invariant)
    pytester.makepyfile(test_orders=text)
    result = pytester.runpytest()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E *no-dead-lettering-by-throttling: Message 5 went to orders-dlq*"])
    pytester.makepyfile(test_mended=text.replace("reserved_concurrency=2", "reserved_concurrency=5"))
    pytester.runpytest("test_mended.py").assert_outcomes(passed=1)

"""The two examples differ in one setting, and in what pytest says about them."""

from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


def project(pytester: pytest.Pytester, name: str) -> pytest.Pytester:
    """Return a copy of an example, so that nothing is written into the checkout."""
    for file in ("template.yaml", "pyproject.toml"):
        (pytester.path / file).write_bytes((EXAMPLES / name / file).read_bytes())
    return pytester


@pytest.mark.usefixtures("briefly_explained")
def test_over_polling_dead_letters_by_throttling(pytester: pytest.Pytester) -> None:
    """That, and nothing else, with the settings of `make demo`."""
    result = project(pytester, "over-polling").runpytest("--chaosqs")
    result.assert_outcomes(passed=3, failed=1)
    result.stdout.fnmatch_lines(["*FAILED *orders→charge-order::no-dead-lettering-by-throttling*"])


def test_with_a_maximum_concurrency_it_holds(pytester: pytest.Pytester) -> None:
    """Two lines of the template are the difference."""
    broken, fixed = (
        (EXAMPLES / name / "template.yaml").read_text("utf-8") for name in ("over-polling", "over-polling-fixed")
    )
    assert fixed.replace("            ScalingConfig:\n              MaximumConcurrency: 2\n", "") == broken
    project(pytester, "over-polling-fixed").runpytest("--chaosqs").assert_outcomes(passed=4)

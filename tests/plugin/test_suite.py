"""Without a design of its own a project gets the regression suite of chaosqs itself."""

import pytest

from chaosqs import invariants
from chaosqs.invariants import Invariant
from chaosqs.model.verdict import Status, Verdict
from chaosqs.project import planning
from chaosqs.project.checks import Budget
from chaosqs.search.finding import Finding
from chaosqs.search.profiles import QUICK
from tests.plugin.projects import BRIEFLY

NOTICE = "no design of this project was judged: this is the regression suite of chaosqs itself"


def test_it_passes_in_an_empty_directory(pytester: pytest.Pytester) -> None:
    """`pip install chaosqs && pytest --chaosqs` says that the installation works, not that nothing was found."""
    result = pytester.runpytest("--chaosqs", BRIEFLY)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "every-design: every mapping",
            "reference/two_queues.yaml: orders → worker",
            "canary/over_polling.yaml: broken on purpose, and the search found it in case *",
            NOTICE,
        ]
    )


def test_its_items(pytester: pytest.Pytester) -> None:
    """The whole space of designs, the sound reference designs, and one canary."""
    ids = [line for line in pytester.runpytest("--chaosqs", "--collect-only", "-q").outlines if "::" in line]
    assert ids[:2] == [
        "chaosqs::every-design::no-dead-lettering-by-throttling",
        "chaosqs::every-design::at-least-once-delivery",
    ]
    assert sum("::reference/" in line for line in ids) == 4 * len(invariants.DEFAULT)
    assert ids[-1] == "chaosqs::canary/over_polling.yaml::orders→worker::no-dead-lettering-by-throttling"


def test_it_does_not_run_where_a_project_has_a_design(sound: pytest.Pytester) -> None:
    """Who has a design wants an answer about that one."""
    result = sound.runpytest("--chaosqs", "--collect-only", "-q")
    result.stdout.no_fnmatch_line("*every-design*")


def test_a_search_that_finds_nothing_fails_the_canary(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A green suite means that the search would have found something."""

    class Blind:
        """A search that finds nothing."""

        def finding(self, invariant: Invariant) -> Finding:
            """Return that all is well."""
            verdict = Verdict(invariant.name, Status.HOLDS, exercised=1)
            return Finding("orders→worker", verdict.invariant, verdict, cases=7)

    def blind(*_: object, **__: object) -> Blind:
        return Blind()

    monkeypatch.setattr("chaosqs.project.checks.searched", blind)
    result = pytester.runpytest("--chaosqs", "-k", "canary", BRIEFLY)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the search DID NOT FIND IT in 7 cases*"])


@pytest.mark.usefixtures("briefly_explained")
def test_a_violation_in_some_generated_design_is_told(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question about all designs fails with the story of one of them."""
    broken = next(check for check in planning.suite() if check.canary)

    def found(*_: object, **__: object) -> Finding:
        return broken.search(Budget(QUICK, max_examples=10))

    monkeypatch.setattr(planning, "search_designs", found)
    result = pytester.runpytest("chaosqs::every-design::no-dead-lettering-by-throttling")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Message * went to orders-dlq*", "*reports/every-design-orders-worker-*/report.md"])

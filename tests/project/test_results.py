"""The data that a finding is reported from."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import attrs
import pytest

from chaosqs import invariants
from chaosqs.invariants import NO_DEAD_LETTERING_BY_THROTTLING
from chaosqs.model.explanation import Explanation, Origin, Setting, SettingPath
from chaosqs.model.history import History
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status, Verdict
from chaosqs.project import exploration
from chaosqs.project.checks import Budget, Check
from chaosqs.project.exploration import counterexample
from chaosqs.project.pytest_hooks import result
from chaosqs.project.results import CheckResult, Location, location_of, passes, run_check, written
from chaosqs.project.summary import summary
from chaosqs.search.finding import Finding
from chaosqs.search.profiles import QUICK
from chaosqs.search.search import search
from chaosqs.simulation.run import Simulation, simulate
from tests.project.kept import RESERVED, artefact, kept
from tests.search.designs import MAPPING, over_polling


def test_what_was_found_is_not_simulated_again_to_be_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Explanation, digest, story and report are of the run that was judged."""
    finding = search(over_polling(), MAPPING, NO_DEAD_LETTERING_BY_THROTTLING, profile=QUICK)
    assert finding.history is not None
    runs, run = list[Scenario](), Simulation.run

    def noted(simulation: Simulation) -> History:
        runs.append(simulation.scenario)
        return run(simulation)

    monkeypatch.setattr(Simulation, "run", noted)
    brief = attrs.evolve(QUICK, draws=5, trials=2)
    found = counterexample("orders.yaml", finding, NO_DEAD_LETTERING_BY_THROTTLING, profile=brief)
    explained = len(runs)
    assert explained > 0
    told = written(found, finding.history, tmp_path, tmp_path / "reports")
    assert len(runs) == explained
    assert finding.scenario not in runs
    assert "Inevitable" in told.story


def test_the_line_to_look_at_is_that_of_the_first_setting_that_matters() -> None:
    """File and line are the origin's own, even if the name of the file reads like a line; else the design's file."""
    found, free = kept("orders.yaml"), Setting(SettingPath("function", "worker", "memory"), 128)
    assert location_of(attrs.evolve(found, explanation=Explanation((free,)))) == Location("orders.yaml")
    free, unknown = attrs.evolve(free, origin=Origin("orders.yaml", 3, "Memory")), attrs.evolve(RESERVED, origin=None)
    odd = attrs.evolve(RESERVED, origin=Origin("old:7 orders.yaml", 22, "Reserved…: 2"))
    explanation = Explanation((free, unknown, odd, RESERVED))
    assert location_of(attrs.evolve(found, explanation=explanation)) == Location("old:7 orders.yaml", 22)


def _found(finding: Finding, _: Budget) -> Finding:
    return finding


def test_a_handler_whose_answers_are_all_refused_fails(tmp_path: Path) -> None:
    """A design that Lambda never lets succeed is not green; other code that never succeeds is not exercised."""
    verdict = Verdict("conservation", Status.NOT_EXERCISED, "worker never succeeded: x")
    for refused in (True, False):
        finding = Finding(MAPPING, "conservation", verdict, 7, failing="worker never succeeded: x", refused=refused)
        check = Check("t.yaml", MAPPING, invariants.by_name("conservation"), tmp_path, partial(_found, finding))
        found = run_check(check, Budget(QUICK), root=tmp_path, reports=tmp_path)
        assert passes(found) is not refused
        assert found.reason.startswith("worker never succeeded: x")


def test_what_could_not_be_simulated_is_told_by_its_first_line() -> None:
    """In the table; the whole reason follows, with its place."""
    why = "setup = 'world.py:prepare': prepare raises KeyError: 'x'\nworld.py:3"
    broken = CheckResult("t.yaml", "orders→worker", "conservation", Status.INCONCLUSIVE, why, simulated=False)
    _, row, *rest = summary([broken])
    assert row.split(maxsplit=2)[1:] == ["INCONCLUSIVE", "setup = 'world.py:prepare': prepare raises KeyError: 'x'"]
    assert rest == why.splitlines()


def test_an_artefact_passes_with_a_note_unless_the_project_is_strict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only chaosqs's default assumptions produce is told in the summary, and has its report."""
    found = kept("orders.yaml")
    monkeypatch.setattr(exploration, "explain", artefact)
    history = simulate(found.scenario)
    verdict = Verdict(found.invariant, Status.VIOLATED, violations=(found.violation,))
    finding = Finding(found.mapping, found.invariant, verdict, 7, scenario=found.scenario, history=history)
    invariant = invariants.by_name(found.invariant)
    check = Check("orders.yaml", found.mapping, invariant, tmp_path, partial(_found, finding))
    told = run_check(check, Budget(QUICK), root=tmp_path, reports=tmp_path / "reports")
    why = "in one of 28 assumption sets that fit AWS's measurements, chaosqs's default: no other set produces it"
    assert (told.status, told.reason) == (Status.ARTEFACT, why)
    assert passes(told)
    assert not passes(told, strict=True)
    lines = summary([told])
    title = "no dead-lettering by throttling"
    assert f"artefact: orders.yaml: {found.mapping.replace('→', ' → ')}: {title}: {why}" in lines
    assert told.broken is not None
    assert f"report: {told.broken.report}" in lines
    assert (tmp_path / told.broken.report).is_file()
    assert result(told, strict=False).failure is None
    assert "ARTEFACT" in str(result(told, strict=True).failure)

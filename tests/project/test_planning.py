"""What a plan finds does not depend on the number of processes that search."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.json import to_json
from chaosqs.model.scenario import Scenario
from chaosqs.model.verdict import Status
from chaosqs.model.workload import Burst
from chaosqs.project import planning
from chaosqs.project.child import Child
from chaosqs.project.planning import Known, Options, lanes, plan
from chaosqs.project.results import CheckResult

DESIGNS = """
from chaosqs import Design, EventSourceMapping, Function, Queue, Redrive

shop = Design(
    [Queue("a", redrive=Redrive("dead", 1)), Queue("b"), Queue("dead")],
    [Function("f", timeout=30), Function("g", timeout=30)],
    [EventSourceMapping("a", "f"), EventSourceMapping("b", "g")],
)
"""


def results(root: Path) -> tuple[list[CheckResult], int]:
    """Return the results of a few checks of each mapping, and the number of processes that helped."""
    planned = plan(Options(root, root, ("designs.py:shop",), max_examples=8, explains=False))
    checks = [check for check in planned.checks if check.invariant.name in {"conservation", "no-concurrent-processing"}]
    planned.begin(checks)
    try:
        return [planned.run(check) for check in checks], planned.allowance.lanes - 1
    finally:
        planned.close()


def test_two_processes_find_what_one_finds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the order of the checks, with the same cases, stories and reports."""
    (tmp_path / "designs.py").write_text(DESIGNS, encoding="utf-8")
    monkeypatch.setattr(planning, "cores", lambda: 2)
    both, helpers = results(tmp_path)
    reports = {path: path.read_bytes() for path in tmp_path.glob("reports/**/*.*")}
    monkeypatch.setattr(planning, "cores", lambda: 1)
    alone, none = results(tmp_path)
    assert (helpers, none) == (1, 0)
    assert both == alone
    assert {found.mapping for found in both} == {"a→f", "b→g"}
    assert reports
    assert reports == {path: path.read_bytes() for path in tmp_path.glob("reports/**/*.*")}


@pytest.mark.parametrize(
    ("groups", "cores", "seconds", "most", "expected"),
    [(3, 2, 10.0, None, 2), (3, 8, 10.0, None, 3), (3, 8, 10.0, 2, 2), (1, 8, 10.0, 4, 1), (3, 8, 0.0, None, 1)],
)
def test_mappings_are_searched_side_by_side_on_the_cores(  # noqa: PLR0917 - the table has five columns
    monkeypatch: pytest.MonkeyPatch, groups: int, cores: int, seconds: float, most: int | None, expected: int
) -> None:
    """As far as there are mappings, and the project allows it; none where handlers run in the process of pytest."""
    monkeypatch.setattr(planning, "cores", lambda: cores)
    assert lanes(groups, Child(Path(), seconds), most) == expected


def test_the_first_search_of_real_handlers_has_all_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the first verdict comes early; mappings are searched side by side from then on."""
    behaviours = {name: Behaviour(handler="searched_first:handler") for name in "fg"}
    mappings = [EventSourceMapping("a", "f"), EventSourceMapping("b", "g")]
    design = Design([Queue("a"), Queue("b")], [Function("f"), Function("g")], mappings)
    (tmp_path / "searched_first.py").write_text("def handler(event, context): ...", encoding="utf-8")
    (tmp_path / "both.json").write_text(to_json(Scenario(design, [Burst("a", 1)], behaviours)), encoding="utf-8")
    forks = list[bool]()

    def run(_: Child, __: object, argument: str, **___: object) -> str:
        forks.append('"forks"' not in argument)  # the default is True
        return to_json(CheckResult("both.json", "a→f", "conservation", Status.HOLDS))

    monkeypatch.setattr(planning, "cores", lambda: 2)
    monkeypatch.setattr(Child, "run", run)
    planned = plan(Options(tmp_path, tmp_path, ("both.json",)), Known())
    planned.begin(planned.checks)
    for check in planned.checks:
        planned.run(check)
    planned.close()
    assert forks == [True, *[False] * (len(planned.checks) - 1)]

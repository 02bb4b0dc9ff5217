"""Checks of real handlers: the child process finds what this process finds, and uses the same database."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest
from hypothesis.database import ExampleDatabase, InMemoryExampleDatabase

from chaosqs.errors import ProcessEnded
from chaosqs.explain.explain import explain
from chaosqs.model.verdict import Status
from chaosqs.project import exploration, planning
from chaosqs.project.child import Child
from chaosqs.project.planning import Options, Plan, plan
from chaosqs.project.results import CheckResult
from chaosqs.search.profiles import QUICK

DESIGNS = """
from chaosqs import Behaviour, Burst, Design, EventSourceMapping, Function, Queue, Redrive, Scenario
from chaosqs.model.explanation import Explanation
from chaosqs.project import exploration

exploration.explain = lambda *_, **__: Explanation()  # it takes long, and is the same there and here
design = Design(
    [Queue("orders", redrive=Redrive("dead", 2)), Queue("dead")],
    [Function("worker", timeout=5)],
    [EventSourceMapping("orders", "worker")],
)
orders = Scenario(design, [Burst("orders", 1)], {{"worker": Behaviour(handler="{module}:handler")}})
"""
FAILS_ON_ONE = """
import json

def handler(event, context):
    for record in event["Records"]:
        if json.loads(record["body"])["message"] == 1:
            raise ValueError("no")
"""
BRIEF = attrs.evolve(QUICK, max_examples=20, shrink_simulations=50, draws=3, trials=3)
BYSTANDER = "no-bystander-dead-lettered"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a project whose handler takes healthy messages along."""
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(planning, "hypothesis_settings", lambda: pytest.fail("a test has its own database"))
    monkeypatch.setattr(exploration, "explain", explain)  # restored in the end
    (tmp_path / "designs.py").write_text(DESIGNS.format(module=f"{tmp_path.name}_app"), encoding="utf-8")
    (tmp_path / f"{tmp_path.name}_app.py").write_text(FAILS_ON_ONE, encoding="utf-8")
    return tmp_path


@contextmanager
def planned(root: Path, seconds: float) -> Generator[Plan]:
    """Return the plan of a project, with a search that does not take long."""
    made = plan(Options(root, root, ("designs.py:orders",), seed=3, report_dir=f"reports{seconds:g}"))
    child = Child(root, seconds)
    yield attrs.evolve(made, budget=attrs.evolve(made.budget, profile=BRIEF), child=child)
    child.close()


def result(planned: Plan, monkeypatch: pytest.MonkeyPatch, database: ExampleDatabase) -> CheckResult:
    monkeypatch.setattr(planning, "hypothesis_settings", lambda: Settings(database))
    return planned.run(next(check for check in planned.checks if check.invariant.name == BYSTANDER))


@attrs.frozen
class Settings:
    database: ExampleDatabase


def test_a_child_finds_what_this_process_finds(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same counterexample for the same seed, byte for byte; what one has stored, the other recalls."""
    stored = InMemoryExampleDatabase()
    with planned(root, 10) as apart:
        in_child = result(apart, monkeypatch, stored)
    with planned(root, 0) as together:
        here = result(together, monkeypatch, InMemoryExampleDatabase())
    files = [path.read_bytes() for path in sorted(root.rglob("scenario.json"))]
    assert in_child.status is here.status is Status.VIOLATED
    assert len(files) == 2
    assert files[0] == files[1]
    with planned(root, 0) as together:
        recalled = result(together, monkeypatch, stored)
    assert recalled.cases == 1
    with planned(root, 10) as apart:
        assert result(apart, monkeypatch, stored) == attrs.evolve(recalled, broken=in_child.broken)


def test_what_ends_one_check_of_a_mapping_ends_them_all(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not tried again for each invariant."""
    code = root / f"{root.name}_app.py"
    code.write_text("def handler(event, context):\n    while True: pass\n", encoding="utf-8")
    monkeypatch.setattr(planning, "hypothesis_settings", lambda: Settings(InMemoryExampleDatabase()))
    with planned(root, 0.5) as apart:
        told: set[str] = set()
        for check in apart.checks:
            with pytest.raises(ProcessEnded) as caught:
                apart.run(check)
            told.add(str(caught.value))
            code.write_text(FAILS_ON_ONE, encoding="utf-8")
    assert len(told) == 1
    assert told.pop().startswith(f"the handler of worker never gave way for 0.5 s: {code.name}:2, in handler\n")


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("import nothing_of_the_kind", "No module named 'nothing_of_the_kind'"),
        ("while True: pass", "the handler of worker never gave way for 0.5 s: CODE:1, in <module>"),
        (
            "import ctypes\nctypes.string_at(0)",
            "the handler of worker ended its process (SIGSEGV): CODE:2, in <module>",
        ),
    ],
)
def test_a_handler_that_cannot_be_imported_is_told(root: Path, code: str, problem: str) -> None:
    """Whatever its import does: it does it in the child."""
    (root / f"{root.name}_app.py").write_text(code, encoding="utf-8")
    (root / "pyproject.toml").write_text("[tool.chaosqs]\nhandler_seconds = 0.5\n", encoding="utf-8")
    made = plan(Options(root, root, ("designs.py:orders",)))
    made.child.kill()
    assert problem.replace("CODE", f"{root.name}_app.py") in made.checks[0].problem
    assert any("CANNOT BE LOADED" in line for line in made.header)

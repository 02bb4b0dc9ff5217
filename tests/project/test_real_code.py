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
BRIEF = attrs.evolve(QUICK, max_examples=6, shrink_simulations=10, draws=3, trials=3)
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
def planned(root: Path, seconds: float = 10) -> Generator[Plan]:
    """Return the plan of a project, with a search that does not take long."""
    made = plan(Options(root, root, ("designs.py:orders",), seed=3))
    made.child.seconds = seconds
    yield attrs.evolve(made, budget=attrs.evolve(made.budget, profile=BRIEF))
    made.child.close()


def in_this_process(planned: Plan) -> Plan:
    """Return a plan of the same without a child process, and with a directory of its own for reports."""
    made = plan(planned.options, planned.known)
    return attrs.evolve(made, budget=planned.budget, child=Child(planned.root, 0), reports=planned.root / "here")


def result(planned: Plan, monkeypatch: pytest.MonkeyPatch, database: ExampleDatabase) -> CheckResult:
    monkeypatch.setattr(planning, "hypothesis_settings", lambda: Settings(database))
    return planned.run(next(check for check in planned.checks if check.invariant.name == BYSTANDER))


@attrs.frozen
class Settings:
    database: ExampleDatabase


def test_a_child_finds_what_this_process_finds(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same counterexample for the same seed, byte for byte; what one has stored, the other recalls."""
    stored = InMemoryExampleDatabase()
    with planned(root) as apart:
        in_child = result(apart, monkeypatch, stored)
        here = result(in_this_process(apart), monkeypatch, InMemoryExampleDatabase())
        recalled = result(in_this_process(apart), monkeypatch, stored)
        apart.child.close()  # another process remembers nothing else
        recalled_in_child = result(apart, monkeypatch, stored)
    files = [path.read_bytes() for path in sorted(root.rglob("scenario.json"))]
    assert in_child.status is here.status is Status.VIOLATED
    assert len(files) == 2
    assert files[0] == files[1]
    assert recalled.cases == 1
    assert recalled_in_child == attrs.evolve(recalled, broken=in_child.broken)


def test_what_ends_one_check_of_a_mapping_ends_them_all(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not tried again for each invariant."""
    code = root / f"{root.name}_app.py"
    code.write_text("def handler(event, context):\n    while True: pass\n", encoding="utf-8")
    monkeypatch.setattr(planning, "hypothesis_settings", lambda: Settings(InMemoryExampleDatabase()))
    with planned(root, 0.3) as apart:
        told: set[str] = set()
        for check in apart.checks:
            with pytest.raises(ProcessEnded) as caught:
                apart.run(check)
            told.add(str(caught.value))
            code.write_text(FAILS_ON_ONE, encoding="utf-8")
    assert len(told) == 1
    assert told.pop().startswith(f"the handler of worker never gave way for 0.3 s: {code.name}:2, in handler\n")


def test_a_setup_function_that_never_ends_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is to blame, not a handler."""
    (root / "world.py").write_text("def prepare():\n    while True: pass\n", encoding="utf-8")
    (root / "pyproject.toml").write_text(
        '[tool.chaosqs]\nhandler_seconds = 0.3\nsetup = "world.py:prepare"\n', encoding="utf-8"
    )
    monkeypatch.setattr(planning, "hypothesis_settings", lambda: Settings(InMemoryExampleDatabase()))
    with planned(root, 0.3) as apart, pytest.raises(ProcessEnded) as caught:
        apart.run(apart.checks[0])
    assert str(caught.value).startswith("the setup function never gave way for 0.3 s: world.py:2, in prepare\n")
    assert caught.value.function == ""


BROKEN = {
    "misses": ("import nothing_of_the_kind", "No module named 'nothing_of_the_kind'"),
    "loops": ("while True: pass", "the handler of loops never gave way for 0.3 s: CODE:1, in <module>"),
    "crashes": (
        "import ctypes\nctypes.string_at(0)",
        "the handler of crashes ended its process (SIGSEGV): CODE:2, in <module>",
    ),
}
ONE_EACH = """
from chaosqs import Behaviour, Burst, Design, EventSourceMapping, Function, Queue, Scenario

names = {names}
mappings = [EventSourceMapping(name, name) for name in names]
design = Design([Queue(name) for name in names], [Function(name) for name in names], mappings)
behaviours = {{name: Behaviour(handler=f"{module}_{{name}}:handler") for name in names}}
orders = Scenario(design, [Burst(names[0], 1)], behaviours)
"""


def test_handlers_that_cannot_be_imported_are_told(root: Path) -> None:
    """Whatever their imports do: they do it in the child, and each is told though others ended it."""
    (root / "designs.py").write_text(ONE_EACH.format(names=[*BROKEN], module=root.name), encoding="utf-8")
    (root / "pyproject.toml").write_text("[tool.chaosqs]\nhandler_seconds = 0.3\n", encoding="utf-8")
    for name, (code, _) in BROKEN.items():
        (root / f"{root.name}_{name}.py").write_text(code, encoding="utf-8")
    made = plan(Options(root, root, ("designs.py:orders",)))
    made.child.kill()
    for name, (_, problem) in BROKEN.items():
        told = next(check.problem for check in made.checks if check.mapping == f"{name}→{name}")
        assert problem.replace("CODE", f"{root.name}_{name}.py") in told
    assert sum("CANNOT BE RUN" in line for line in made.header) == len(BROKEN)

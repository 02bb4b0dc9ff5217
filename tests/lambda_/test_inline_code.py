"""Code that a template has inline: the module `index` of a directory of its own, and a part of the scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from chaosqs.errors import InvalidScenario
from chaosqs.lambda_ import guards, project_modules
from chaosqs.lambda_.project_modules import inline_root
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.events import InvocationEnded
from chaosqs.model.json import from_json, to_json
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from chaosqs.search.search import named_points
from chaosqs.simulation.run import simulate

FIRST = """
import chaosqs
import os

def handler(event, context):
    chaosqs.record("ran", file=os.path.basename(__file__), module=__name__)
    if chaosqs.fault_point("charge", event["Records"][0]):
        raise TimeoutError("no")
"""
SECOND = "def run(event, context):\n    raise KeyError('id')\n"


def ran(**functions: Behaviour) -> Scenario:
    """Return a scenario with a queue and one message for each function."""
    mappings = [EventSourceMapping(name, name) for name in functions]
    design = Design([Queue(name) for name in functions], [Function(name) for name in functions], mappings)
    return Scenario(design, [Burst(name, 1) for name in functions], functions, until=5)


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the directories of this test in its own."""
    for module in (project_modules, guards):
        monkeypatch.setattr(module, "INLINE", str(tmp_path / "inline-"))
    return tmp_path


def test_each_function_has_a_module_of_its_own() -> None:
    """Both are called index; the place of an error is what Lambda would name; the scenario is enough to run them."""
    scenario = ran(
        first=Behaviour(handler="index:handler", inline=FIRST), second=Behaviour(handler="index:run", inline=SECOND)
    )
    history = simulate(from_json(Scenario, to_json(scenario)), verify=True)
    assert dict(history.effects[0].values) == {"file": "index.py", "module": "index"}
    (failed,) = [end for _, end in history.each(InvocationEnded) if end.function == "second"]
    assert failed.trace == ("index.py:2 in run",)


def test_code_that_cannot_be_imported_is_told_with_its_line() -> None:
    with pytest.raises(InvalidScenario, match=r"SyntaxError: .*\nindex\.py:1: def \($"):
        simulate(ran(first=Behaviour(handler="index:handler", inline="def (")))


def test_the_file_of_a_source_is_made_once_and_never_trusted(temporary: Path) -> None:
    """What somebody else has written there is replaced, or refused."""
    file = Path(inline_root("x = 1")) / "index.py"
    assert file.read_text("utf-8") == "x = 1"
    file.write_text("x = 2", encoding="utf-8")
    assert Path(inline_root("x = 1")) == file.parent
    assert file.read_text("utf-8") == "x = 1"
    assert [each.name for each in file.parent.iterdir()] == ["index.py"]
    file.parents[1].chmod(0o777)
    with pytest.raises(InvalidScenario, match="somebody else may write there"):
        inline_root("x = 1")
    assert str(file).startswith(str(temporary))


def test_fault_points_of_inline_code_are_known() -> None:
    """Those of code that cannot be read are not."""
    known = named_points({"a": Behaviour(handler="index:handler", inline=FIRST)})
    assert known.points == ("charge",)
    assert named_points({"a": Behaviour(handler="index:handler", inline="def (")}).points == ()


@pytest.mark.parametrize(
    "wrong",
    [
        Behaviour(inline=FIRST, handler="app:handler"),
        Behaviour(inline=FIRST),
        Behaviour(inline=FIRST, handler="index:handler", code="src"),
    ],
    ids=["another module", "no handler", "a directory"],
)
def test_inline_code_is_the_module_index(wrong: Behaviour) -> None:
    with pytest.raises(InvalidScenario, match="must have a handler index:NAME, and no directory of code"):
        ran(first=wrong)

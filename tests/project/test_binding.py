"""The code of functions between files and memory, and the settings of a project in place of a template's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import attrs
import pytest

from chaosqs.errors import InvalidInput
from chaosqs.importers.protocol import Code
from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.project.binding import Binding, bindings, bound, header, refused, unloadable, without, without_unanswered
from chaosqs.project.child import Child
from chaosqs.project.discovery import Source, located, portable, read_source
from chaosqs.project.replay import read_counterexample
from chaosqs.project.results import written
from chaosqs.project.settings import FunctionSettings, Settings
from chaosqs.simulation.run import simulate
from tests.project.kept import kept

DESIGN = Design([Queue("orders")], [Function("worker")], [EventSourceMapping("orders", "worker")])


def source(root: Path, code: Code) -> Source:
    return Source("template.yaml", root / "template.yaml", DESIGN, code={"worker": code})


def test_code_is_absolute_in_memory_and_relative_in_files(tmp_path: Path) -> None:
    """Code outside the project keeps its absolute path; a handler of `sys.path` has none."""
    behaviours = {
        "a": Behaviour(handler="app:handler", code="src"),
        "b": Behaviour(handler="app:handler", code="."),
        "c": Behaviour(handler="app:handler", code="/elsewhere"),
        "d": Behaviour(handler="app:handler"),
        "e": Behaviour(handler="app:handler", code="src", environment={"PYTHONPATH": "layers/a/python:/opt/b"}),
    }
    absolute = located(behaviours, tmp_path)
    assert absolute["e"].environment == {"PYTHONPATH": f"{tmp_path}/layers/a/python:/opt/b"}
    assert [each.code for each in absolute.values()][:4] == [str(tmp_path / "src"), str(tmp_path), "/elsewhere", ""]
    assert portable(absolute, tmp_path) == behaviours


def test_a_counterexample_moves_with_its_project(tmp_path: Path) -> None:
    """The report of one checkout is read in another, and means the code there."""
    here, there = tmp_path / "here", tmp_path / "there"
    found = kept("design")
    real = Behaviour(handler="app:handler", code=str(here / "src"), environment={"STAGE": "dev"})
    with_code = attrs.evolve(found, scenario=attrs.evolve(found.scenario, behaviours={"worker": real}))
    history = attrs.evolve(simulate(found.scenario), scenario=with_code.scenario)
    written(with_code, history, here, here / "reports")
    (file,) = here.rglob("scenario.json")
    assert json.loads(file.read_text("utf-8"))["scenario"]["behaviours"]["worker"]["code"] == "src"
    there.mkdir()
    (there / "scenario.json").write_bytes(file.read_bytes())
    again = read_counterexample(there / "scenario.json", there)
    assert again.scenario.behaviours == {"worker": attrs.evolve(real, code=str(there / "src"))}


def test_settings_replace_what_a_template_says(tmp_path: Path) -> None:
    """Each key for itself; the handler that the template names is used with another directory."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "app.py").touch()
    lost = Code(environment={"A": "1", "B": "unknown-B"}, modelled="its code is in S3", alias="Worker", named="app:run")
    lost = attrs.evolve(lost, notes=("template.yaml:3: B is imported; it is set to unknown-B", "another note"))
    given = FunctionSettings(code="src", environment={"B": "2"})
    changed = bound(source(tmp_path, lost), Settings(functions={"Worker": given}), tmp_path)
    expected = Behaviour(handler="app:run", code=str(tmp_path / "src"), environment={"A": "1", "B": "2"})
    assert changed.behaviours == {"worker": expected}
    assert bindings(changed, {}, tmp_path) == (
        Binding("worker", ("orders",), handler="src/app.py, run", messages="made-up bodies", notes=("another note",)),
    )


def test_code_needs_a_handler(tmp_path: Path) -> None:
    """A directory alone says nothing where the template names no handler."""
    settings = Settings(functions={"worker": FunctionSettings(code="src")})
    with pytest.raises(InvalidInput, match=r"code = 'src': needs handler, too: it has no Handler$"):
        bound(source(tmp_path, Code(modelled="it has no Handler")), settings, tmp_path)


def test_a_line_of_the_header_has_room_for_messages_and_services() -> None:
    """One line a function: its queues, its code, where its messages come from, and who answers it."""
    full = Binding("worker", ("a", "b"), "app.py, run", messages="bodies from x.json", services="DynamoDB answers")
    assert list(full.lines()) == ["  a, b → worker: app.py, run · bodies from x.json · DynamoDB answers"]
    noted = Binding("worker", ("a",), modelled="its Runtime is go1.x", notes=("a note",))
    assert list(noted.lines()) == ["  a → worker: modelled: its Runtime is go1.x", "    a note"]


def test_the_header_says_which_parameters_another_file_gives() -> None:
    lines = header({"a.yaml": (), "b.yaml": ()}, {"a.yaml": "Stage = dev from samconfig.toml"})
    assert lines == ["chaosqs: a.yaml · Stage = dev from samconfig.toml", "chaosqs: b.yaml"]


def test_a_design_in_python_names_code_relative_to_the_project(tmp_path: Path) -> None:
    """As its files do."""
    (tmp_path / "designs.py").write_text(
        "from chaosqs import Behaviour, Design, EventSourceMapping, Function, Queue, Scenario\n"
        "design = Design([Queue('q')], [Function('f')], [EventSourceMapping('q', 'f')])\n"
        "scenario = Scenario(design, behaviours={'f': Behaviour(handler='app:run', code='src')})\n",
        encoding="utf-8",
    )
    found = read_source("designs.py:scenario", base=tmp_path, root=tmp_path)
    assert found.behaviours["f"].code == str(tmp_path / "src")
    assert found.scenario is not None
    assert found.scenario.behaviours == found.behaviours


SHOP = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.12, CodeUri: app/, Environment: {Variables: {LEVEL: INFO}}}
Resources:
  Returns: {Type: 'AWS::SQS::Queue'}
  Refunds: {Type: 'AWS::SQS::Queue'}
  Ledger: {Type: 'AWS::Serverless::SimpleTable'}
  Watchers: {Type: 'AWS::SNS::Topic'}
  Accept:
    Type: AWS::Serverless::Function
    Properties:
      Handler: accept.handler
      Environment: {Variables: {REFUNDS_URL: !Ref Refunds, TABLE: !Ref Ledger}}
      Events: {E: {Type: SQS, Properties: {Queue: !GetAtt Returns.Arn}}}
  Refund:
    Type: AWS::Serverless::Function
    Properties:
      Handler: refund.handler
      Environment: {Variables: {TOPIC: !Ref Watchers}}
      Events: {E: {Type: SQS, Properties: {Queue: !GetAtt Refunds.Arn}}}
  Audit:
    Type: AWS::Serverless::Function
    Properties:
      Handler: audit.handler
      Events: {E: {Type: SQS, Properties: {Queue: !GetAtt Refunds.Arn}}}
"""


def test_a_project_that_never_heard_of_chaosqs_is_bound(tmp_path: Path) -> None:
    """Three handlers with their variables, and the table and the topic that they use."""
    (tmp_path / "template.yaml").write_text(SHOP, encoding="utf-8")
    (tmp_path / "app").mkdir()
    for name in ("accept", "refund", "audit"):
        (tmp_path / "app" / f"{name}.py").write_text("def handler(event, context): pass\n", encoding="utf-8")
    found = read_source("template.yaml", base=tmp_path, root=tmp_path)
    here, app = "us-east-1:123456789012", str(tmp_path / "app")
    refunds = "https://sqs.us-east-1.amazonaws.com/123456789012/Refunds"
    assert found.behaviours == {
        "Accept": Behaviour(
            handler="accept:handler",
            code=app,
            environment={"LEVEL": "INFO", "REFUNDS_URL": refunds, "TABLE": "Ledger"},
        ),
        "Refund": Behaviour(
            handler="refund:handler",
            code=app,
            environment={"LEVEL": "INFO", "TOPIC": f"arn:aws:sns:{here}:Watchers"},
        ),
        "Audit": Behaviour(handler="audit:handler", code=app, environment={"LEVEL": "INFO"}),
    }
    assert [(each.type, each.name) for each in found.design.resources] == [
        ("AWS::DynamoDB::Table", "Ledger"),
        ("AWS::SNS::Topic", f"arn:aws:sns:{here}:Watchers"),
    ]


def test_the_header_names_the_services_that_a_function_uses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing answers them, the function is modelled, and the header says what to install."""
    (tmp_path / "template.yaml").write_text(SHOP, encoding="utf-8")
    (tmp_path / "app").mkdir()
    for name in ("accept", "refund", "audit"):
        (tmp_path / "app" / f"{name}.py").touch()
    found = read_source("template.yaml", base=tmp_path, root=tmp_path)
    monkeypatch.setattr("chaosqs.project.binding.moto_is_installed", lambda: True)
    accept, refund, audit = bindings(without_unanswered(found), {}, tmp_path)
    assert (accept.services, refund.services, audit.services) == (
        "DynamoDB answered by moto",
        "SNS answered by moto",
        "",
    )
    monkeypatch.setattr("chaosqs.project.binding.moto_is_installed", lambda: False)
    accept, refund, audit = bindings(without_unanswered(found), {}, tmp_path)
    assert accept.modelled == "it uses DynamoDB: pip install 'chaosqs[aws]' to run its code"
    assert refund.handler == ""
    assert audit.handler == "app/audit.py, handler"


TABLE = """
  Ledger:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
"""
UNMADE = {
    "no key": ("", "it has no KeySchema"),
    "a key that is imported": ("KeySchema: !ImportValue keys", "only a deployment knows its KeySchema"),
    "a key that is not defined": (
        "KeySchema: [{AttributeName: name, KeyType: HASH}]",
        "its KeySchema names name, and its AttributeDefinitions do not",
    ),
    "a key of no type": ("KeySchema: [{AttributeName: id, KeyType: PRIMARY}]", "ValidationException: .*'PRIMARY'.*"),
    "a key that is text": ("KeySchema: id", "Invalid type for parameter KeySchema.*"),
}


@pytest.mark.parametrize(("key", "why"), UNMADE.values(), ids=UNMADE.keys())
def test_a_table_that_cannot_be_made_breaks_only_what_uses_it(tmp_path: Path, key: str, why: str) -> None:
    """The problem of a function that has its name has file and line; a setup function may make the table itself."""
    table = f"{TABLE}      {key}\n"
    written = SHOP.replace("  Ledger: {Type: 'AWS::Serverless::SimpleTable'}\n", table)
    (tmp_path / "template.yaml").write_text(written, encoding="utf-8")
    (tmp_path / "app").mkdir()
    for name in ("accept", "refund", "audit"):
        (tmp_path / "app" / f"{name}.py").write_text("def handler(event, context): pass\n", encoding="utf-8")
    child, found = Child(tmp_path, seconds=0), read_source("template.yaml", base=tmp_path, root=tmp_path)
    found = without(found, refused(found, {}, child))
    what, where = r"Ledger \(AWS::DynamoDB::Table\)", f"template.yaml:{_line(written)}"
    broken = unloadable(found, {}, child)
    assert list(broken) == ["Accept"]
    assert re.match(rf"Accept uses {what}, which cannot be made: {why}\n{where}: mend it", broken["Accept"])
    assert re.fullmatch(rf"{where}: {what} is left out: {why}", found.assumptions[-1])
    assert [each.type for each in found.design.resources] == ["AWS::SNS::Topic"]
    assert unloadable(bound(found, Settings(setup="tests/world.py:prepare"), tmp_path), {}, child) == {}


def _line(text: str) -> int:
    return text[: text.index("  Ledger:")].count("\n") + 1


def test_code_that_uses_tmp_is_noted_with_its_line(tmp_path: Path) -> None:
    """LX-4: here all environments share the machine's."""
    code = Code(handler="app:handler", root=tmp_path)
    named = attrs.evolve(source(tmp_path, code), behaviours={"worker": Behaviour(handler="app:handler")})
    (tmp_path / "app.py").write_text("import os\n", encoding="utf-8")
    assert bindings(named, {}, tmp_path)[0].notes == ()
    (tmp_path / "store.py").write_text("import os\n\nPATH = '/tmp/model'\n", encoding="utf-8")
    (note,) = bindings(named, {}, tmp_path)[0].notes
    assert note.startswith("store.py:3: uses /tmp, which is the machine's here")

"""Real handlers that a scenario's file names: found beside it; who leaves the simulation is told in few words."""

import json
import sys
from pathlib import Path

import pytest

from chaosqs.model.behaviour import Behaviour
from chaosqs.model.design import Design, EventSourceMapping, Function, Queue
from chaosqs.model.json import to_json
from chaosqs.model.scenario import Scenario
from chaosqs.model.workload import Burst
from tests.cli.running import Run

DESIGN = Design([Queue("orders")], [Function("worker", timeout=5)], [EventSourceMapping("orders", "worker")])
FILE = "scenario.json"
VERBS = {
    "run": ("run", FILE),
    "compare": ("compare", FILE),
    "explore": ("explore", FILE, "--max-examples", "2"),
    "exhaust": ("exhaust", FILE, "--faults", "0"),
}
FINE = "def handle(event, context):\n    pass\n"
ASKS = "import socket\n\ndef handle(event, context):\n    socket.getaddrinfo('localhost', 80)\n"
STARTS = "import os\n\ndef handle(event, context):\n    os.fork()\n"
NEEDS = """import json

def handle(event, context):
    for record in event["Records"]:
        json.loads(record["body"])["amount"]
"""
MOODY = """import itertools, sys, time

calls = vars(sys).setdefault("chaosqs_moody", itertools.count())

def handle(event, context):
    time.sleep(next(calls) % 3)
"""


@pytest.fixture
def path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget afterwards where handlers are found."""
    monkeypatch.setattr(sys, "path", list(sys.path))


def write(module: str, code: str) -> None:
    """Write a handler, in a module that no other test has imported, and a scenario of it beside."""
    Path("pyproject.toml").write_text("[tool.chaosqs]\nmax_examples = 2\n", encoding="utf-8")
    Path(f"{module}.py").write_text(code, encoding="utf-8")
    behaviours = {"worker": Behaviour(handler=f"{module}:handle")}
    Path(FILE).write_text(to_json(Scenario(DESIGN, [Burst("orders", 1)], behaviours)), encoding="utf-8")


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize("verb", VERBS)
def test_handlers_are_found_in_the_projects_directory(run: Run, verb: str) -> None:
    """Python does not look there for the installed command."""
    write(f"fine_for_{verb}", FINE)
    result = run(*VERBS[verb])
    assert result.exit_code == 0, result.output


@pytest.mark.usefixtures("path")
def test_exhaust_tries_nothing_of_code_that_cannot_be_loaded(run: Run) -> None:
    """A model in its place would prove nothing about it."""
    write("lacks_for_exhaust", "import a_package_that_nobody_has\n")
    result = run("exhaust", FILE, "--faults", "0")
    assert result.exit_code == 2, result.output
    assert "lacks_for_exhaust.py:1: install the package of 'a_package_that_nobody_has'" in result.output
    assert "none of" not in result.output
    assert run("exhaust", FILE, "--faults", "-1").exit_code == 2


@pytest.mark.usefixtures("path")
def test_exhaust_sends_the_projects_own_messages(run: Run) -> None:
    """It says whence they come."""
    write("needs_an_amount", NEEDS)
    Path("events").mkdir()
    Path("events/orders.json").write_text('{"id": 1, "amount": 5}', encoding="utf-8")
    result = run("exhaust", FILE, "--faults", "0")
    assert result.exit_code == 0, result.output
    assert "  messages of orders: bodies from events/orders.json\n" in result.output
    assert "NOT TESTED" not in result.output


@pytest.mark.usefixtures("path")
def test_exhaust_prints_what_it_tried_of_real_handlers(run: Run) -> None:
    """The one scenario, and no search besides."""
    write("fine_and_exhausted", FINE)
    result = run("exhaust", FILE, "--faults", "0", "--invariant", "conservation", "--json")
    tried = json.loads(result.output)["exhaustions"][0]
    assert tried["runs"] == 1
    assert [answer["cases"] for answer in tried["answers"]] == [1]


LEAVE = {"asks": (ASKS, "asks for an address"), "starts": (STARTS, "starts a process")}


@pytest.mark.usefixtures("path")
@pytest.mark.parametrize(("verb", "name"), [*((verb, "asks") for verb in VERBS), ("run", "starts")])
def test_who_leaves_the_simulation_is_told_so(run: Run, verb: str, name: str) -> None:
    """By call and line, without a traceback, and with the exit status that replay has."""
    code, does = LEAVE[name]
    write(f"{name}_for_{verb}", code)
    result = run(*VERBS[verb])
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: no verdict: EscapedSimulation: the handler of worker ")
    assert f" {does}" in result.stderr
    assert f" at {name}_for_{verb}.py:4: " in result.stderr
    assert len(result.stderr.splitlines()) <= 3


@pytest.mark.usefixtures("path")
def test_who_runs_in_two_ways_proves_nothing(run: Run) -> None:
    """The first events that differ are shown."""
    write("moody_for_exhaust", MOODY)
    result = run(*VERBS["exhaust"])
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("Error: no verdict: NotDeterministic: two runs of one scenario differ at event ")


TEMPLATE = """
Resources:
  Orders: {Type: 'AWS::SQS::Queue'}
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      CodeUri: src/
      Handler: MODULE.handle
      Environment: {Variables: {STAGE: dev, ELSEWHERE: !ImportValue elsewhere}}
      Events: {Batch: {Type: SQS, Properties: {Queue: !GetAtt Orders.Arn}}}
"""
NOTE = "template.yaml:10: ELSEWHERE is imported from another stack (elsewhere); it is set to unknown-ELSEWHERE"


def write_project(module: str, code: str) -> None:
    """Write a template and the handler that it names."""
    Path("src").mkdir()
    Path("src", f"{module}.py").write_text(code, encoding="utf-8")
    Path("template.yaml").write_text(TEMPLATE.replace("MODULE", module), encoding="utf-8")


def test_import_prints_the_binding_and_runs_nothing(run: Run) -> None:
    """As Python that pastes, with notes as comments; as JSON, function by function."""
    write_project("exits_at_once", "raise SystemExit(7)")
    result = run("import", "template.yaml")
    assert result.exit_code == 0, result.output
    assert f"\n# {NOTE}\n" in result.output
    names: dict[str, object] = {}
    exec(result.output, names)  # noqa: S102 - that is the promise
    variables = {"STAGE": "dev", "ELSEWHERE": "unknown-ELSEWHERE"}
    bound = Behaviour(handler="exits_at_once:handle", code="src", environment=variables)
    assert names["behaviours"] == {"Worker": bound}
    (function,) = json.loads(run("import", "template.yaml", "--json").output)["functions"]
    assert function["handler"] == "src/exits_at_once.py, handle"
    assert function["notes"] == [NOTE]


@pytest.mark.usefixtures("path")
def test_explore_says_first_which_code_runs(run: Run) -> None:
    """The handler of the template, and what is assumed about it."""
    write_project("fine_to_explore", FINE)
    result = run("explore", "template.yaml", "--max-examples", "2")
    assert result.exit_code == 0, result.output
    header = [
        "chaosqs: template.yaml",
        "  Orders → Worker: src/fine_to_explore.py, handle · made-up bodies",
        f"    {NOTE}",
    ]
    assert result.output.splitlines()[:3] == header


@pytest.mark.usefixtures("path")
def test_explore_names_a_handler_that_cannot_be_loaded(run: Run) -> None:
    """Nothing is searched, and the exit status is that of wrong input."""
    write_project("lacks_a_package", "import left_out_package")
    result = run("explore", "template.yaml", "--max-examples", "2")
    assert result.exit_code == 2
    assert "  Orders → Worker: src/lacks_a_package.py, handle CANNOT BE RUN" in result.output
    assert "No module named 'left_out_package'" in result.output

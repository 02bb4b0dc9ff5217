"""A project that has never heard of chaosqs: its template binds its handlers, and the header says what runs."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from chaosqs.project.child import Child
from tests.plugin.projects import BRIEFLY

TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function:
    Runtime: python3.12
    Environment: {Variables: {STAGE: dev}}
Resources:
  Seats:
    Type: AWS::SQS::Queue
    Properties: {QueueName: seats}
  Tickets:
    Type: AWS::SQS::Queue
    Properties: {QueueName: tickets}
  ReserveFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: reserve
      CodeUri: reserve/
      Handler: app.handler
      Environment: {Variables: {TICKETS_URL: !Ref Tickets}}
      Events: {Batch: {Type: SQS, Properties: {Queue: !GetAtt Seats.Arn}}}
  PrintFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: print
      CodeUri: printing/
      Handler: src/handlers/app.handler
      Environment: {Variables: {PRINTER: !ImportValue printer}}
      Events: {Batch: {Type: SQS, Properties: {Queue: !GetAtt Tickets.Arn}}}
"""
RESERVE = """
import os
import chaosqs

URL = os.environ["TICKETS_URL"]

def handler(event, context):
    chaosqs.sometimes(f"{os.environ['STAGE']}, {URL.rpartition('/')[2]}, reserved by {context.function_name}")
"""
PRINT = """
import os
import chaosqs
from src import paper

def handler(event, context):
    chaosqs.sometimes(f"{paper.SIZE} from {os.environ['PRINTER']}")
"""
INVARIANTS = """
import chaosqs

@chaosqs.invariant("Nothing is reached.")
def reached_nothing(history):
    for event in history.events:
        if hasattr(event, "mark"):
            yield f"Reached {event.mark}.", event
"""
SETTINGS = """
[tool.pytest.ini_options]
[tool.chaosqs]
invariants = ['promises.py:reached_nothing']
handler_seconds = 0
"""
"""Handlers run in pytest's own process; in a child process the loaded modules are the same."""
RESERVED = "Reached dev, tickets, reserved by reserve."
PRINTED = "Reached A4 from unknown-PRINTER."


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")


@pytest.fixture
def tickets(pytester: pytest.Pytester) -> pytest.Pytester:
    """Return a project with two functions in two directories, whose modules have the same name."""
    write(
        pytester.path,
        {
            "template.yaml": TEMPLATE,
            "reserve/app.py": RESERVE,
            "printing/src/__init__.py": "",
            "printing/src/paper.py": "SIZE = 'A4'",
            "printing/src/handlers/__init__.py": "",
            "printing/src/handlers/app.py": PRINT,
            "promises.py": INVARIANTS,
            "pyproject.toml": SETTINGS,
        },
    )
    return pytester


def with_settings(project: pytest.Pytester, table: str) -> None:
    path = project.path / "pyproject.toml"
    path.write_text(f"{path.read_text('utf-8')}\n{dedent(table)}", encoding="utf-8")


HEADER = [
    "chaosqs: template.yaml",
    "  seats → reserve: reserve/app.py, handler*",
    "  tickets → print: printing/src/handlers/app.py, handler*",
    "    template.yaml:*: PRINTER is imported from another stack (printer); it is set to unknown-PRINTER",
]


@pytest.mark.usefixtures("hurried", "briefly_explained")
def test_the_handlers_of_the_template_run_with_its_variables(tickets: pytest.Pytester) -> None:
    """Each from its own directory; the header names them, and a note the variable that is unknown."""
    result = tickets.runpytest("--chaosqs", BRIEFLY, "-k", "nothing")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines([*HEADER, f"*{PRINTED}*", f"*{RESERVED}*"])


def test_a_mapping_whose_messages_reach_one_handler_comes_before_one_whose_messages_reach_two(
    tickets: pytest.Pytester,
) -> None:
    """Its cases cost less, so the first verdict comes earlier. `reserve` may send to the queue of `print`."""
    result = tickets.runpytest("--chaosqs", "--collect-only", "-q", "-k", "nothing")
    found = [line.split("::")[2] for line in result.outlines if "::" in line]
    assert found == ["tickets→print", "seats→reserve"]


def test_a_build_of_sam_is_no_second_project(tickets: pytest.Pytester) -> None:
    """`.aws-sam/build` has a copy of the template and of the code, which may be old."""
    write(
        tickets.path,
        {".aws-sam/build/template.yaml": TEMPLATE, ".aws-sam/build/ReserveFunction/app.py": "raise SystemExit"},
    )
    result = tickets.runpytest("--chaosqs", "--collect-only", "-q")
    assert {line.split("::")[1] for line in result.outlines if "::" in line} == {"template.yaml"}


def test_listing_the_items_loads_no_handler(tickets: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor any other code of the project, as nothing is run."""
    monkeypatch.setattr(Child, "run", None)
    result = tickets.runpytest("--chaosqs", "--collect-only")
    assert result.ret == pytest.ExitCode.OK
    result.stdout.no_fnmatch_line("*reserve/app.py*")


BROKEN = {
    "a missing package": ("import left_out_package", "No module named 'left_out_package'", "reserve/app.py:2"),
    "a missing variable": ("import os\nKEY = os.environ['API_KEY']", "'API_KEY'", "reserve/app.py:3"),
    "a syntax error": ("def handler(event, context)\n    pass", "SyntaxError", "reserve/app.py"),
    "no such function": ("def handle(event, context): pass", "handler", "reserve/app.py"),
}


@pytest.mark.parametrize(("source", "why", "where"), BROKEN.values(), ids=BROKEN.keys())
def test_a_handler_that_cannot_be_loaded_fails_its_own_mapping(
    tickets: pytest.Pytester, source: str, why: str, where: str
) -> None:
    """Header and one item say why, in two lines with file and line; the other mapping is judged."""
    write(tickets.path, {"reserve/app.py": f"\n{source}"})
    result = tickets.runpytest("--chaosqs", BRIEFLY, "-k", "at-least-once or conservation")
    result.assert_outcomes(passed=2, failed=1, skipped=1)
    result.stdout.fnmatch_lines(["  seats → reserve: reserve/app.py, handler CANNOT BE RUN*"])
    failure = result.outlines[next(i for i, line in enumerate(result.outlines) if "= FAILURES" in line) + 2 :]
    said = failure[: next(i for i, line in enumerate(failure) if line.startswith("==="))]
    assert len(said) <= 2, said
    assert why in "\n".join(said)
    assert where in "\n".join(said)


HOOKS = {
    "async": ("async def prepare():\n    pass", "prepare must be a plain function, not an async one", 1),
    "raises": ("def prepare():\n    raise KeyError('k')", "prepare raises KeyError: 'k'", 2),
    "argument": ("import os\ndef prepare(world):\n    pass", "prepare must take no argument", 2),
}


@pytest.mark.parametrize(("source", "why", "line"), HOOKS.values(), ids=HOOKS.keys())
def test_a_setup_that_fails_fails_each_mapping_once(tickets: pytest.Pytester, source: str, why: str, line: int) -> None:
    """Whichever items are selected, as nothing was judged; two lines say why."""
    write(tickets.path, {"tests/world.py": source})
    with_settings(tickets, 'setup = "tests/world.py:prepare"')
    result = tickets.runpytest("--chaosqs", "-k", "early or concurrent")
    result.assert_outcomes(failed=2, skipped=2)
    result.stdout.fnmatch_lines([f"setup = 'tests/world.py:prepare': {why}", f"tests/world.py:{line}"])


@pytest.mark.usefixtures("hurried", "briefly_explained")
def test_settings_override_the_template(tickets: pytest.Pytester) -> None:
    """By the function's name or by its logical id: code, handler, variables and a model."""
    bodies = """seats = [{"seat": 1}]\n"""
    write(tickets.path, {"other/place.py": RESERVE.replace("def handler", "def handle"), "tests/bodies.py": bodies})
    with_settings(
        tickets,
        """
        [tool.chaosqs.functions.ReserveFunction]
        code = "other"
        handler = "place.handle"
        environment = {STAGE = "test"}
        bodies = "tests/bodies.py:seats"
        [tool.chaosqs.functions.print.behaviour]
        seconds_per_message = 0.1
        """,
    )
    result = tickets.runpytest("--chaosqs", BRIEFLY, "-k", "nothing and reserve", "-p", "no:cacheprovider")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "  seats → reserve: other/place.py, handle · bodies from tests/bodies.py:seats*",
            "  tickets → print: modelled: [[]tool.chaosqs.functions.print] gives a model*",
            f"*{RESERVED.replace('dev', 'test')}*",
        ]
    )


WRONG = {
    "no such function": ("[tool.chaosqs.functions.x]\nhandler = 'a.b'", "no design has this function; there are"),
    "no such field": ("[tool.chaosqs.functions.print]\nhandlr = 'a.b'", "handlr: unknown field: there are handler"),
    "no directory": (
        "[tool.chaosqs.functions.print]\ncode = 'gone'",
        "code = 'gone': is not a directory of the project",
    ),
    "no file": ("[tool.chaosqs.functions.print]\nhandler = 'a.b'", "handler = 'a.b': printing/a.py is not there"),
    "no handler's name": ("[tool.chaosqs.functions.print]\nhandler = 'a'", "handler = 'a': must be written as in"),
    "a number": (
        "[tool.chaosqs.functions.print.environment]\nRETRIES = 3",
        "RETRIES*: must be a string, not 3",
    ),
    "two answers": (
        "[tool.chaosqs.functions.print]\nhandler = 'a.b'\nbehaviour = {spread = 1}",
        "behaviour: excludes handler and code",
    ),
    "two tables": (
        "[tool.chaosqs.functions.print]\nhandler = 'a.b'\n[tool.chaosqs.behaviours.print]\nspread = 1",
        "functions.print: says how the function behaves, as [[]tool.chaosqs.behaviours] does",
    ),
}


@pytest.mark.parametrize(("table", "said"), WRONG.values(), ids=WRONG.keys())
def test_a_slip_in_the_settings_of_a_function_is_said(tickets: pytest.Pytester, table: str, said: str) -> None:
    """In at most three lines, before anything runs."""
    with_settings(tickets, table)
    result = tickets.runpytest("--chaosqs", BRIEFLY)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*{said}*"])
    assert 1 <= len([line for line in result.errlines if line.strip()]) <= 3


@pytest.mark.usefixtures("hurried", "briefly_explained")
def test_a_given_handler_has_the_variables_of_the_template(tickets: pytest.Pytester) -> None:
    """`[tool.chaosqs.behaviours.NAME]` names a handler of the project's directory, as before."""
    write(tickets.path, {"own_reserve.py": RESERVE})
    with_settings(tickets, "[tool.chaosqs.behaviours.reserve]\nhandler = 'own_reserve:handler'")
    result = tickets.runpytest("--chaosqs", BRIEFLY, "-k", "nothing and reserve")
    result.stdout.fnmatch_lines(["  seats → reserve: own_reserve.py, handler*", f"*{RESERVED}*"])

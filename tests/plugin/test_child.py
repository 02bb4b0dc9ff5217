"""Real handlers run in a child process: what they do there is a verdict or two lines, and the session goes on."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Protocol

import pytest
from coverage import Coverage

from tests.plugin.projects import run_pytest, without_ci
from tests.project.processes import gone

TEMPLATE = """
Resources:
  Orders:
    Type: AWS::SQS::Queue
    Properties: {QueueName: orders, VisibilityTimeout: 60}
  Bills:
    Type: AWS::SQS::Queue
    Properties: {QueueName: bills, VisibilityTimeout: 60}
  Charge:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: charge, Timeout: 5}
  Send:
    Type: AWS::Lambda::Function
    Properties: {FunctionName: send, Timeout: 5}
  OrdersToCharge:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Orders.Arn, FunctionName: !Ref Charge}
  BillsToSend:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Bills.Arn, FunctionName: !Ref Send}
"""
SETTINGS = """
[tool.pytest.ini_options]
[tool.chaosqs]
handler_seconds = {seconds}
[tool.chaosqs.behaviours.charge]
handler = "app.charge:handler"
[tool.chaosqs.behaviours.send]
handler = "app.send:handler"
"""
FINE = "import os\n\ndef handler(event, context):\n    os.environ['LEFT'] = 'behind'\n    print('out' * 1000)\n"
LOOPS = "def handler(event, context):\n    while True:\n        pass\n"
ASKS = "import socket\n\ndef handler(event, context):\n    socket.getaddrinfo('example.com', 80)\n"
TELLS = """
import os
def handler(event, context):
    with open("PATH", "w") as file:
        file.write(str(os.getpid()))
    while True:
        pass
"""
FEWEST = ("--chaosqs", "--chaosqs-max-examples=2", "-k", "conservation")
FEW = (*FEWEST[:-1], "conservation or at-least-once")


class Project(Protocol):
    """Makes a project of two mappings with a handler each."""

    def __call__(self, charge: str = FINE, seconds: float = 10) -> Path:
        """Take the code of the first handler."""
        ...


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """Return what makes a project."""

    def make(charge: str = FINE, seconds: float = 10) -> Path:
        files = {"template.yaml": TEMPLATE, "pyproject.toml": SETTINGS.format(seconds=seconds)}
        files |= {"app/__init__.py": "", "app/charge.py": charge, "app/send.py": FINE}
        for name, text in files.items():
            path = pytester.path / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return pytester.path

    return make


def test_a_handler_that_never_gives_way_fails_its_mapping(
    pytester: pytest.Pytester, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In two lines that name function, file and line, once; the other mapping is judged, from a subdirectory, too."""
    root = project(charge=LOOPS, seconds=0.3)
    monkeypatch.chdir(root / "app")
    done = pytester.runpytest(*FEW, "--import-mode=importlib", "-p", "no:cacheprovider", "--rootdir", str(root))
    done.assert_outcomes(failed=1, passed=2, skipped=1)
    lines = done.outlines
    (first,) = [number for number, line in enumerate(lines) if "never gave way" in line and "FAILED" not in line]
    assert lines[first].startswith("the handler of charge never gave way for 0.3 s: app/charge.py:")
    assert lines[first].endswith(", in handler")
    assert lines[first - 1].startswith("____")
    assert lines[first + 2].startswith("===="), "two lines"
    assert done.errlines == []


@pytest.mark.parametrize(
    ("code", "seconds"),
    [(LOOPS, 0.3), pytest.param(ASKS, 10, marks=pytest.mark.deep)],
    ids=["loops", "leaves the simulation"],
)
def test_a_handler_that_ends_runs_is_modelled_where_others_are_judged(
    pytester: pytest.Pytester, project: Project, code: str, seconds: float
) -> None:
    """Loads of other queues reach it in their searches, too."""
    project(code, seconds=seconds)
    result = pytester.runpytest("--chaosqs", "--chaosqs-max-examples=8", "-k", "at-least-once")
    result.assert_outcomes(failed=1, passed=1)


def test_nothing_of_a_handler_is_left_in_pytest(pytester: pytest.Pytester, project: Project) -> None:
    """Neither its module nor its output nor its environment; with xdist, too."""
    root = project()
    pytester.makeconftest(
        "import os, sys\n"
        "def pytest_unconfigure(config):\n"
        "    assert 'LEFT' not in os.environ and 'app.charge' not in sys.modules\n"
    )
    done = run_pytest(root, *FEWEST, "-n", "1", "-s")
    assert "2 passed" in done.stdout, done.stdout + done.stderr
    assert "outout" not in done.stdout
    assert done.stderr == ""


@pytest.mark.deep
def test_handlers_are_covered_where_pytest_is(project: Project) -> None:
    """Their lines are counted by coverage, which starts in subprocesses if it is told to."""
    root = project()
    (root / ".coveragerc").write_text("[run]\nparallel = true\npatch = subprocess\nsource = app\n", encoding="utf-8")
    program = ["-m", "coverage", "run", "-m", "pytest", *FEWEST]
    environment = {name: value for name, value in without_ci().items() if not name.startswith("COV")}
    subprocess.run([sys.executable, *program], cwd=root, env=environment, check=True, capture_output=True)
    counted = Coverage(str(root / ".coverage"), config_file=str(root / ".coveragerc"))
    counted.combine([str(root)])
    for name in ("charge", "send"):
        _, statements, missing, _ = counted.analysis(str(root / "app" / f"{name}.py"))
        assert (len(statements), missing) == (4, [])


def test_ctrl_c_ends_pytest_at_once(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Although the handler would go on; with pytest's own exit status, and no process is left."""
    told = tmp_path_factory.mktemp("told") / "pid"  # the directory of the code is read-only
    root = project(charge=TELLS.replace("PATH", str(told)), seconds=1000)
    with subprocess.Popen(
        [sys.executable, "-m", "pytest", *FEWEST], cwd=root, env=without_ci(), stdout=subprocess.PIPE, text=True
    ) as pytest_itself:
        worker = _written(told)
        pytest_itself.send_signal(signal.SIGINT)
        output = pytest_itself.communicate(timeout=30)[0]
    assert pytest_itself.returncode == pytest.ExitCode.INTERRUPTED
    assert "KeyboardInterrupt" in output
    assert gone(worker)


def test_ctrl_c_ends_explore_at_once(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    """With the status of shells, in one line."""
    told = tmp_path_factory.mktemp("told") / "pid"  # the directory of the code is read-only
    root = project(charge=TELLS.replace("PATH", str(told)), seconds=1000)
    with subprocess.Popen(
        [sys.executable, "-m", "chaosqs", "explore", "template.yaml"],
        cwd=root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as explore:
        _written(told)
        explore.send_signal(signal.SIGINT)
        output = explore.communicate(timeout=30)
    assert explore.returncode == 130
    assert output[1] == "interrupted (SIGINT): what is above was found before\n"


def _written(path: Path) -> int:
    for _ in range(3000):
        if path.is_file() and path.read_text(encoding="utf-8"):
            return int(path.read_text(encoding="utf-8"))
        time.sleep(0.01)
    raise AssertionError("the handler was not imported")
